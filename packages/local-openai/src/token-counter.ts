import { countTokens, decode } from 'gpt-tokenizer/encoding/cl100k_base'
import { PieceCounter } from './piece-counter.ts'

/** Text that looks like a special token is text: OpenAI's embeddings endpoint embeds it. */
const asText = { disallowedSpecial: new Set<string>() }

const cacheSlots = 1 << 17

/**
 * Counts cl100k_base tokens. Counts are remembered by the text's digest in a table of fixed
 * size where a newer text takes the older one's slot: counting costs more than all the rest.
 */
export class TokenCounter {
  readonly #pieces = new PieceCounter(piece => countTokens(piece, asText))
  /** Per slot: 16 bytes of the digest, then the count + 1 (0 = empty). */
  readonly #slots = new Uint32Array(cacheSlots * 5)

  /** @param digest - SHA-256 of the text. */
  count(text: string, digest: Buffer): number {
    const a = digest.readUInt32LE(0)
    const b = digest.readUInt32LE(4)
    const c = digest.readUInt32LE(8)
    const d = digest.readUInt32LE(12)
    const slots = this.#slots
    const slot = (a % cacheSlots) * 5
    const known = slots[slot + 4] ?? 0
    if (
      known > 0 &&
      slots[slot] === a &&
      slots[slot + 1] === b &&
      slots[slot + 2] === c &&
      slots[slot + 3] === d
    )
      return known - 1

    const tokens = this.#pieces.count(text)
    slots[slot] = a
    slots[slot + 1] = b
    slots[slot + 2] = c
    slots[slot + 3] = d
    slots[slot + 4] = tokens + 1
    return tokens
  }
}

/** @throws {Error} when an id is not in cl100k_base. */
export function decodeTokens(ids: readonly number[]): string {
  return decode(ids)
}
