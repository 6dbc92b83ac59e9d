// The answer to an embeddings request, from its bytes. Nearly all of them are base64: it is cut out of the JSON and
// decoded straight into one block of memory, so that two megabytes of text never become JavaScript strings, and 256
// vectors are one allocation.
import { z } from 'zod'
import { Failure } from '../../domain/failure.ts'
import { vectorFault } from '../../domain/vector-bytes.ts'
import type { VectorBytes } from '../../ports/embedder.ts'

export interface Answer {
  /** One per text, in the order given. */
  readonly vectors: readonly VectorBytes[]
  readonly paidTokens: number
  /** See `Embedded`. */
  readonly release: () => void
}

/** A number is the place of a vector that was cut out. Servers that do not know base64 answer floats all the same. */
const embeddingSchema = z.union([z.number().int(), z.string(), z.array(z.number())])
const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: embeddingSchema })),
  usage: z.object({ prompt_tokens: z.number() })
})

const name = Buffer.from('"embedding"')
const [quote, colon] = Buffer.from('":')
const blanks = new Set(Buffer.from(' \t\r\n'))

/**
 * @param count - texts that were sent.
 * @throws {Failure} `EMBED_OUTCOME_UNKNOWN` when it is not one good vector for each text; what JSON.parse and zod throw.
 */
export function readAnswer(body: Uint8Array, count: number, dimensions: number): Answer {
  const { block, cut, json } = cutVectors(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    count,
    dimensions
  )
  const { data, usage } = answerSchema.parse(JSON.parse(json))
  const vectors: VectorBytes[] = []
  const places = cut.entries()
  for (const { embedding, index } of data) {
    if (index < 0 || index >= count || vectors[index] !== undefined) throw unusable(`index ${index}`)
    const bytes = bytesOf(embedding, places)
    const fault = vectorFault(bytes, dimensions)
    if (fault !== undefined) throw unusable(`vector ${index} ${fault}`)
    vectors[index] = bytes
  }
  if (data.length !== count) throw unusable(`${data.length} vectors for ${count} texts`)
  return { vectors, paidTokens: usage.prompt_tokens, release: () => void block.transfer(0) }
}

/** @returns the vectors of the right length, and the JSON with the number of its vector in the place of each. */
function cutVectors(
  body: Buffer,
  count: number,
  dimensions: number
): { readonly block: ArrayBuffer; readonly cut: readonly Buffer[]; readonly json: string } {
  const vectorBytes = dimensions * 4
  const { buffer: block } = Buffer.allocUnsafeSlow(count * vectorBytes)
  const cut: Buffer[] = []
  let json = ''
  let copied = 0
  for (let at = body.indexOf(name); at >= 0 && cut.length < count; at = body.indexOf(name, at + 1)) {
    const opening = valueAfter(body, at + name.length)
    if (body[opening] !== quote) continue
    const closing = body.indexOf('"', opening + 1)
    const base64 = body.toString('latin1', opening + 1, closing)
    // Anything else is judged, and named, as it stands.
    if (Buffer.byteLength(base64, 'base64') !== vectorBytes) continue
    const vector = Buffer.from(block, cut.length * vectorBytes, vectorBytes)
    if (vector.write(base64, 'base64') !== vectorBytes) continue
    json += `${body.toString('utf8', copied, opening)}${cut.length}`
    cut.push(vector)
    copied = closing + 1
  }
  return { block, cut, json: json + body.toString('utf8', copied) }
}

/** Where the value begins whose name ends at `at`; some servers print blanks. */
function valueAfter(body: Buffer, at: number): number {
  const isBlank = (position: number): boolean => blanks.has(body[position] ?? 0)
  let position = at
  while (isBlank(position)) position += 1
  if (body[position] !== colon) return -1
  position += 1
  while (isBlank(position)) position += 1
  return position
}

/** @param places - what was cut out, in the order of the answer; a number of the server's own is out of that order. */
function bytesOf(
  embedding: number | string | readonly number[],
  places: Iterator<readonly [number, Buffer]>
): Uint8Array {
  if (typeof embedding === 'string') return Buffer.from(embedding, 'base64')
  if (typeof embedding !== 'number') return new Uint8Array(Float32Array.from(embedding).buffer)
  const next = places.next()
  if (next.done === true || next.value[0] !== embedding)
    throw unusable(`the number ${embedding} for a vector`)
  return next.value[1]
}

function unusable(what: string): Failure {
  return new Failure('EMBED_OUTCOME_UNKNOWN', `the answer is not usable: ${what}`)
}
