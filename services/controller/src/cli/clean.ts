/**
 * Text from documents, made harmless for a terminal: no escape sequences, no control characters, nothing that turns
 * the direction of reading round. Blanks and line breaks become single blanks.
 */
export function clean(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '')
    .trim()
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** `clean`, and at most so many characters. */
export function excerpt(text: string, maxCharacters: number): string {
  const cleaned = clean(text)
  const characters = Array.from(graphemes.segment(cleaned), ({ segment }) => segment)
  if (characters.length <= maxCharacters) return cleaned
  return `${characters
    .slice(0, maxCharacters - 1)
    .join('')
    .trimEnd()}…`
}
