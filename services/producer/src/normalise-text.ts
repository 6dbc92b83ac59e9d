const plain = /^[\t\n\u0020-\u007e]*$/

// oxlint-disable-next-line no-control-regex
const lineEnd = /\r\n?|[\u000c\u0085\u2028\u2029]/g

// oxlint-disable-next-line no-control-regex
const unwanted = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff]/g

/**
 * The form in which a text is hashed, counted and sent: well-formed Unicode in NFC, lines that end with \n, no control
 * characters but tab and newline, no byte order mark, no white space around it.
 */
export function normaliseText(text: string): string {
  if (plain.test(text)) return text.trim()
  return text.toWellFormed().normalize('NFC').replace(lineEnd, '\n').replace(unwanted, '').trim()
}

const maxTitleLength = 500

/** One line, of a length that a list can show. */
export function normaliseTitle(title: string): string {
  const line = normaliseText(title).replace(/\s+/g, ' ')
  return line.length <= maxTitleLength ? line : line.slice(0, maxTitleLength).toWellFormed()
}
