import { hash } from 'node:crypto'

/** One input of a request, counted and named. */
export interface PaidInput {
  readonly text: string
  /** SHA-256 of the text in UTF-8. */
  readonly digest: Buffer
  /** Counted with cl100k_base. */
  readonly tokens: number
}

export function digestText(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
