import type OpenAI from 'openai'
import { toFile } from 'openai'
import { expect } from 'vitest'

export const batchModel = 'text-embedding-3-small'

/** A line of a batch's input; what is given replaces what it would hold. */
export function batchLine(index: number, given: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    custom_id: `line-${index}`,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model: batchModel, input: `text number ${index}`, encoding_format: 'base64' },
    ...given
  })
}

export function batchLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `${batchLine(index)}\n`).join('')
}

/** Lines that differ in their text and give few bytes each. */
export function shortAnswerLines(count: number): string {
  const body = { model: batchModel, encoding_format: 'base64', dimensions: 8 }
  return Array.from(
    { length: count },
    (_, index) => `${batchLine(index, { body: { ...body, input: `text number ${index}` } })}\n`
  ).join('')
}

/** @returns the id of the file. */
export async function uploadLines(client: OpenAI, lines: string, name = 'input.jsonl'): Promise<string> {
  const file = await client.files.create({ file: await toFile(Buffer.from(lines), name), purpose: 'batch' })
  return file.id
}

/** Uploads and creates. */
export async function createBatch(
  client: OpenAI,
  lines: string,
  more: { readonly metadata?: Record<string, string> } = {}
): Promise<OpenAI.Batch> {
  return await client.batches.create({
    input_file_id: await uploadLines(client, lines),
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    ...more
  })
}

/** Waits until the job has that status. */
export async function waitForBatch(
  client: OpenAI,
  id: string,
  status: OpenAI.Batch['status']
): Promise<OpenAI.Batch> {
  await expect.poll(async () => (await client.batches.retrieve(id)).status, { timeout: 9000 }).toBe(status)
  return await client.batches.retrieve(id)
}

export interface OutputLine {
  readonly id: string
  readonly custom_id: string
  readonly response: {
    readonly status_code: number
    readonly request_id: string
    readonly body: {
      readonly data: readonly { readonly index: number; readonly embedding: string | readonly number[] }[]
      readonly usage: { readonly total_tokens: number }
      readonly error?: {
        readonly message: string
        readonly code: string | null
        readonly param: string | null
      }
    }
  } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** Downloads an output or error file. */
export async function readLines(client: OpenAI, id: string | null | undefined): Promise<OutputLine[]> {
  if (!id) return []
  const text = await (await client.files.content(id)).text()
  expect(text).toMatch(/\n$/)
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}
