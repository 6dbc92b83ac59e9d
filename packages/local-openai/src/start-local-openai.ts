import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchQueue } from './batches/batch-queue.ts'
import type { Turnaround } from './batches/turnaround.ts'
import { Bill } from './bill.ts'
import { SystemClock } from './clock.ts'
import { openDataLock } from './data-lock.ts'
import { Journal } from './exchange.ts'
import { FastVectors } from './fast-vectors.ts'
import { createHttpApp } from './http-app.ts'
import { faultScriptSchema } from './fault-rules.ts'
import type { FaultPlan, FaultRule } from './fault-rules.ts'
import { FaultScript } from './fault-script.ts'
import type { Latency } from './latency.ts'
import { unlimited } from './limits.ts'
import type { Limits } from './limits.ts'
import type { LocalServer } from './local-server.ts'
import { RateLimiter } from './rate-limiter.ts'
import { SeededRandom } from './seeded-random.ts'
import { openStore } from './open-store.ts'
import { TokenCounter } from './token-counter.ts'
import type { VectorSource } from './vector-source.ts'
import { Webhooks, webhookTargetSchema } from './webhooks.ts'

/** How long running requests may take to end when the server stops. */
const drainMs = 10_000

export type VectorOptions =
  | { readonly kind: 'fast' }
  /** `folder` holds the model's two files; `threads` is one less than there are cores unless told. */
  | { readonly kind: 'minilm'; readonly folder: string; readonly threads?: number }

export interface LocalOpenaiOptions {
  /** 127.0.0.1 unless told. */
  readonly host?: string
  /** A free port unless told. */
  readonly port?: number
  /** Fast vectors and OpenAI's models unless told. */
  readonly vectors?: VectorOptions
  /** No latency unless told. */
  readonly latency?: Latency
  /** No limits unless told. */
  readonly limits?: Limits
  /** No faults unless told. */
  readonly faults?: FaultPlan
  /** Keys that are let in; any key is unless told. */
  readonly apiKeys?: readonly string[]
  /** Folder that keeps files, jobs and the bill over restarts: a temporary one, removed at the end, unless told. */
  readonly dataDir?: string
  /** File that keeps the bill over restarts: in `dataDir`, if there is one, unless told. */
  readonly stateFile?: string
  /** How many times as fast as real time files and jobs live; 0 stands until moved. 1 unless told. */
  readonly clockFactor?: number
  /** How long jobs take: as long as the computing does unless told. */
  readonly turnaround?: Turnaround
  /** Who is told by webhook that a job has ended: nobody unless told. `secret` is `whsec_` and base64. */
  readonly webhook?: { readonly url: string; readonly secret?: string }
  /** Of everything that is drawn by chance: 1 unless told. */
  readonly seed?: number
  /** Longer request bodies are answered 413: 32 MiB unless told. */
  readonly maxBodyBytes?: number
  /** Longer files for batches are answered 413: 200 MiB, as OpenAI's, unless told. */
  readonly maxBatchFileBytes?: number
  /** How many requests the journal keeps: 10,000 unless told. */
  readonly journalLimit?: number
}

export interface LocalOpenai extends AsyncDisposable {
  /** What a client takes as its base URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string
  /** `http://127.0.0.1:PORT/_local`. */
  readonly adminUrl: string
  /** Instead of those before; jobs that were created keep theirs. As `PUT /_local/faults`. */
  setFaults(plan: FaultPlan): void
}

/** Starts the server in this process; it answers when this returns. Disposing lets running requests end. */
export async function startLocalOpenai(options: LocalOpenaiOptions = {}): Promise<LocalOpenai> {
  await using resources = new AsyncDisposableStack()
  const stop = new AbortController()
  const abandon = new AbortController()
  const faults = faultScriptSchema.parse(options.faults ?? { rules: [] })
  const seed = options.seed ?? 1
  const vectors = resources.use(await openVectors(options.vectors ?? { kind: 'fast' }))
  const dataDir =
    options.dataDir ?? resources.adopt(mkdtempSync(join(tmpdir(), 'local-openai-data-')), removeFolder)
  if (options.dataDir !== undefined) resources.use(openDataLock(options.dataDir))
  const store = resources.use(openStore(dataDir, options.clockFactor ?? 1))
  // The store makes the folder.
  const bill = resources.use(new Bill(options.stateFile ?? (options.dataDir && join(dataDir, 'bill.jsonl'))))
  const counter = new TokenCounter()
  const limits = (): Limits => server.limiter.limits
  const turnaround = options.turnaround ?? { kind: 'none' }
  const clock = new SystemClock()
  const drawFault = (): FaultRule | undefined => server.faults.drawWebhook()
  const target = webhookTargetSchema.parse(options.webhook ?? { url: null })
  const webhooks = resources.use(new Webhooks(target, { clock, drawFault, stopped: stop.signal }))
  const batches = resources.use(
    new BatchQueue(
      {
        ...store,
        bill,
        vectors,
        counter,
        limits,
        seed,
        drawFaults: () => server.faults.drawJob(),
        onEnd: batch => webhooks.tell(batch)
      },
      turnaround
    )
  )
  const server: LocalServer = {
    clock,
    ...store,
    batches,
    webhooks,
    maxBatchFileBytes: options.maxBatchFileBytes ?? 200 * 1024 * 1024,
    vectors,
    counter,
    bill,
    journal: new Journal(options.journalLimit ?? 10_000),
    random: new SeededRandom(seed),
    latency: options.latency ?? { kind: 'fixed', ms: 0 },
    limiter: new RateLimiter(options.limits ?? unlimited),
    faults: new FaultScript(faults.rules, faults.seed),
    apiKeys: options.apiKeys ? new Set(options.apiKeys) : undefined,
    stopped: stop.signal,
    abandoned: abandon.signal
  }
  batches.resume()
  const app = createHttpApp(server, options.maxBodyBytes ?? 32 * 1024 * 1024)
  resources.defer(async () => {
    stop.abort()
    const deadline = setTimeout(() => {
      abandon.abort()
      app.server.closeAllConnections()
    }, drainMs)
    await app.close()
    clearTimeout(deadline)
  })
  const origin = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  const held = resources.move()
  return {
    url: `${origin}/v1`,
    adminUrl: `${origin}/_local`,
    setFaults(plan) {
      const { rules, seed: faultSeed } = faultScriptSchema.parse(plan)
      server.faults = new FaultScript(rules, faultSeed)
    },
    async [Symbol.asyncDispose]() {
      await held.disposeAsync()
    }
  }
}

async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

async function openVectors(options: VectorOptions): Promise<VectorSource> {
  if (options.kind === 'fast') return new FastVectors()
  // Loaded only when wanted: it brings a large native library with it.
  const { MinilmVectors } = await import('./minilm-vectors.ts')
  return await MinilmVectors.start(options.folder, options.threads)
}
