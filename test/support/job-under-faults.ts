import type { FaultPlan } from '@pointsman/local-openai/fault-rules'
import type OpenAI from 'openai'
import { batchLines, createBatch, waitForBatch } from './local-openai-batch.ts'
import { openLocalOpenai } from './local-openai-under-test.ts'
import type { LocalOpenaiUnderTest } from './local-openai-under-test.ts'

export type FaultRuleInput = FaultPlan['rules'][number]

/** What was left of a job of local-openai that met faults. */
export interface EndedJob {
  readonly job: OpenAI.Batch
  readonly output: Buffer
  readonly errors: Buffer
  /** How many inputs its lines were charged for. */
  readonly paidInputs: number
  /** How many each rule has met, in the order of the rules. */
  readonly played: readonly number[]
}

export interface JobUnderFaults {
  /** 20 unless told. */
  readonly lines?: number
  /** `completed` unless told. */
  readonly ends?: OpenAI.Batch['status']
  readonly seed?: number
}

/** Runs one job, of lines named `line-0` and so on with the texts `text number 0` and so on, on a server of its own. */
export async function runJobUnderFaults(
  rules: FaultPlan['rules'],
  { ends = 'completed', lines = 20, seed = 1 }: JobUnderFaults = {}
): Promise<EndedJob> {
  await using server = await openLocalOpenai({ clockFactor: 0, faults: { seed, rules } })
  const { id } = await createBatch(server.client(), batchLines(lines))
  return await endOfJob(server, id, ends)
}

export async function endOfJob(
  server: LocalOpenaiUnderTest,
  id: string,
  ends: OpenAI.Batch['status']
): Promise<EndedJob> {
  const client = server.client()
  const job = await waitForBatch(client, id, ends)
  const { batch } = Object(await server.get('/bill'))
  const { rules } = Object(await server.get('/faults'))
  return {
    job,
    output: await download(client, job.output_file_id),
    errors: await download(client, job.error_file_id),
    paidInputs: batch.inputs,
    played: rules.map((rule: { readonly played: number }) => rule.played)
  }
}

async function download(client: OpenAI, id: string | null | undefined): Promise<Buffer> {
  if (!id) return Buffer.alloc(0)
  return Buffer.from(await (await client.files.content(id)).arrayBuffer())
}

/** Its lines that are JSON. */
export function parseLines(file: Buffer): readonly {
  readonly custom_id: string
  readonly response?: { readonly status_code: number; readonly body?: unknown } | null
  readonly error: { readonly code: string } | null
}[] {
  return file
    .toString()
    .split('\n')
    .flatMap(line => {
      try {
        return [JSON.parse(line)]
      } catch {
        return []
      }
    })
}

export function idsOf(file: Buffer): string[] {
  return parseLines(file).map(line => line.custom_id)
}
