import { countTokens as count } from 'gpt-tokenizer/encoding/cl100k_base'

// Texts may quote "<|endoftext|>" and the like: the provider reads them as text, so they are counted as text.
const asText = { disallowedSpecial: new Set<string>() }

/** cl100k_base tokens, exactly as the provider counts and bills them. */
export function countTokens(text: string): number {
  return count(text, asText)
}
