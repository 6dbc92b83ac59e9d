// What became of one line of a job. Two questions decide: was it paid, and can it ever succeed? A status of 200 was paid,
// so what is wrong with its vector is never tried again. Other failures are tried again unless they are about the text.
import { vectorFault } from '../../domain/vector-bytes.ts'
import type { LineOutcome } from '../../ports/batch-provider.ts'
import { isAboutInput } from './classify.ts'
import { type CutLine, cutMark } from './cut-line.ts'
import { fieldOf, itemsOf, messageIn, numberOf, textOf } from './field.ts'

const maxReasonLength = 500

/**
 * @param buffer - holds the line; `line` says where its vector is.
 * @param slot - where the vector may be put: `dimensions` float32 values.
 */
export function outcomeOf(line: CutLine, buffer: Buffer, slot: Buffer): LineOutcome {
  const response = fieldOf(line.json, 'response')
  const body = fieldOf(response, 'body')
  const status = numberOf(fieldOf(response, 'status_code'))
  if (isAnswer(status, body)) {
    const paidTokens = tokensOf(fieldOf(body, 'usage'))
    const vector = vectorIn(body, line, buffer, slot)
    return typeof vector === 'string'
      ? { kind: 'rejected', reason: `paid for and not usable: ${vector}`, paidTokens }
      : { kind: 'vector', vector, paidTokens }
  }
  const errors = [fieldOf(line.json, 'error'), fieldOf(body, 'error'), body]
  const error = errors.find(each => codeOf(each) !== undefined || messageIn(each) !== undefined)
  const told = [status === undefined ? undefined : `status ${status}`, codeOf(error), messageIn(error)]
  const reason = told
    .filter(part => part !== undefined)
    .join(': ')
    .slice(0, maxReasonLength)
  if (isRefusal(status, error)) return { kind: 'rejected', reason, paidTokens: 0 }
  return { kind: 'failed', reason: reason || 'neither an answer nor an error' }
}

function isAnswer(status: number | undefined, body: unknown): boolean {
  // Whoever tells no status and sends a vector has been paid for it.
  if (status === undefined) return itemsOf(fieldOf(body, 'data')).length > 0
  return status >= 200 && status < 300
}

/** Whether the text itself was refused: a line holds nothing else that is its own. */
function isRefusal(status: number | undefined, error: unknown): boolean {
  if (status === 413 || codeOf(error) === 'max_tokens_per_request') return true
  const param = textOf(fieldOf(error, 'param'))
  return (status === 400 || status === 422) && isAboutInput(messageIn(error) ?? '', param)
}

function codeOf(error: unknown): string | undefined {
  return textOf(fieldOf(error, 'code')) ?? textOf(fieldOf(error, 'type'))
}

/** @returns the vector, or what is wrong with it. */
function vectorIn(body: unknown, line: CutLine, buffer: Buffer, slot: Buffer): Uint8Array | string {
  const data = itemsOf(fieldOf(body, 'data'))
  if (data.length !== 1) return `the answer holds ${data.length} vectors`
  const bytes = bytesOf(fieldOf(data[0], 'embedding'), line, buffer, slot)
  if (bytes === undefined) return 'the answer holds no vector'
  const fault = vectorFault(bytes, slot.length / 4)
  return fault === undefined ? bytes : `the vector ${fault}`
}

function bytesOf(embedding: unknown, line: CutLine, buffer: Buffer, slot: Buffer): Uint8Array | undefined {
  const { vector } = line
  if (embedding !== cutMark || vector === undefined) {
    if (typeof embedding === 'string') return Buffer.from(embedding, 'base64')
    return Array.isArray(embedding) ? floatsOf(embedding) : undefined
  }
  const text = buffer.toString('latin1', vector.from, vector.to)
  if (text.startsWith('[')) return floatsIn(text)
  // .NET writes `+` as an escape, PHP `/`.
  const encoded = text.includes('\\') ? unescaped(text) : text
  // Anything of another length is judged, and named, as it stands.
  const isWhole =
    Buffer.byteLength(encoded, 'base64') === slot.length && slot.write(encoded, 'base64') === slot.length
  return isWhole ? slot : Buffer.from(encoded, 'base64')
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return ''
  }
}

function floatsIn(text: string): Uint8Array {
  try {
    const numbers: unknown = JSON.parse(text)
    return floatsOf(itemsOf(numbers))
  } catch {
    // `NaN` and `Infinity` are what Python writes, and not JSON.
    return floatsOf(text.split(','))
  }
}

/** What is no number becomes NaN, and is named so. */
function floatsOf(numbers: readonly unknown[]): Uint8Array {
  const floats = new Float32Array(numbers.length)
  // Counted, not iterated: it takes a fifth of the time.
  for (let index = 0; index < floats.length; index += 1) {
    const number = numbers[index]
    floats[index] = typeof number === 'number' ? number : Number.NaN
  }
  return new Uint8Array(floats.buffer)
}

function tokensOf(usage: unknown): number {
  return numberOf(fieldOf(usage, 'prompt_tokens')) ?? numberOf(fieldOf(usage, 'total_tokens')) ?? 0
}
