import { isUtf8 } from 'node:buffer'

export type Decoding = { readonly text: string } | { readonly reason: string }

/** Bytes of a text file: UTF-8, or UTF-16 with its byte order mark. Anything else is named, never guessed. */
export function decodeText(bytes: Buffer): Decoding {
  const utf16 = utf16Label(bytes)
  if (utf16 !== undefined) return decodeAs(bytes, utf16)
  if (bytes.includes(0)) return { reason: 'binary: it holds NUL bytes' }
  if (!isUtf8(bytes)) return { reason: 'not valid UTF-8' }
  return { text: bytes.toString('utf8') }
}

function utf16Label(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return undefined
}

function decodeAs(bytes: Buffer, label: string): Decoding {
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes) }
  } catch {
    return { reason: `not valid ${label.toUpperCase()}` }
  }
}

/** An HTML file may name another encoding in its head. */
export function decodeHtml(bytes: Buffer): Decoding {
  const decoded = decodeText(bytes)
  if ('text' in decoded || bytes.includes(0)) return decoded
  const label = /charset\s*=\s*["']?\s*([\w-]{1,40})/i.exec(bytes.toString('latin1', 0, 2048))?.[1]
  if (label === undefined || /^utf-?8$/i.test(label)) return decoded
  return decodeAs(bytes, label)
}
