// How fast documents of 100 words go from a JSONL file into Kafka through the whole producer: read, normalise, hash,
// count tokens, remember, Avro, acknowledged by all replicas. One process, as `pointsman ingest` starts it.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { startStack } from '../tools/stack/start-stack.ts'
import type { Bench } from './bench.ts'
import { openChild } from './support/child-process.ts'
import { seededTexts } from './support/documents.ts'
import { cpuMsOf, peakRssMbOf } from './support/process-usage.ts'
import { spreadOf } from './support/spread.ts'

const documents = 100_000
const rounds = 3

const report = z.looseObject({
  event: z.literal('report'),
  documents: z.int(),
  emitted: z.int(),
  unchanged: z.int(),
  tokens: z.int(),
  seconds: z.number(),
  rejectedTotal: z.int()
})

export const bench: Bench = async ({ say, signal }) => {
  await using resources = new AsyncDisposableStack()
  const folder = resources.adopt(await mkdtemp(join(tmpdir(), 'pointsman-bench-')), path =>
    rm(path, { recursive: true, force: true })
  )
  const stack = resources.use(await startStack({ parts: ['kafka', 'registry'], log: say, signal }))
  const file = join(folder, 'documents.jsonl')
  say(`writing ${documents} documents of 100 words`)
  await writeDocuments(file)

  const sent: number[] = []
  const unchanged: number[] = []
  let rssMaxMb = 0
  let tokens = 0
  const cpuMicroseconds: number[] = []
  // The first round warms the broker and the page cache, and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const env = {
      ...stack.env,
      POINTSMAN_NAMESPACE: `bench-${round}`,
      POINTSMAN_STATE_DIR: join(folder, 'state')
    }
    const first = await run(file, env, signal)
    if (first.emitted !== documents || first.rejectedTotal > 0)
      throw new Error(`sent ${first.emitted} documents`)
    const second = await run(file, env, signal)
    if (second.unchanged !== documents || second.emitted > 0)
      throw new Error('the second run sent documents again')
    say(`round ${round}: ${first.perSecond} documents/s sent, ${second.perSecond} found unchanged`)
    if (round === 0) continue
    sent.push(first.perSecond)
    unchanged.push(second.perSecond)
    rssMaxMb = Math.max(rssMaxMb, first.rssMaxMb, second.rssMaxMb)
    tokens = first.tokens
    cpuMicroseconds.push((first.cpuMs * 1000) / documents)
  }
  const spread = spreadOf(sent)
  return {
    documentsPerSecond: spread.median,
    spread,
    // Tells what it would be on a machine that does nothing else.
    cpuMicrosecondsPerDocument: spreadOf(cpuMicroseconds),
    unchangedPerSecond: spreadOf(unchanged),
    documents,
    megabytes: Math.round((await stat(file)).size / 1e6),
    tokens,
    rssMaxMb
  }
}

interface Run extends z.output<typeof report> {
  readonly rssMaxMb: number
  readonly cpuMs: number
  readonly perSecond: number
}

async function run(file: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Run> {
  const program = new URL('../services/producer/src/main.ts', import.meta.url)
  await using child = await openChild({ program, args: [file, '--json'], env })
  let rssMaxMb = 0
  let cpuMs = 0
  for (;;) {
    const line = await child.line()
    signal.throwIfAborted()
    rssMaxMb = Math.max(rssMaxMb, peakRssMbOf(child.pid) ?? 0)
    cpuMs = Math.max(cpuMs, cpuMsOf(child.pid) ?? 0)
    const found = report.safeParse(JSON.parse(line))
    if (!found.success) continue
    const perSecond = Math.round(found.data.documents / found.data.seconds)
    return { ...found.data, rssMaxMb: Math.round(rssMaxMb), cpuMs, perSecond }
  }
}

async function writeDocuments(file: string): Promise<void> {
  const out = createWriteStream(file)
  for (const { docId, title, text } of seededTexts('producer', documents)) {
    const line = JSON.stringify({ id: docId, title, text, metadata: { collection: 'bench' } })
    if (!out.write(`${line}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}
