import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '../api-error.ts'
import { newBatchId, newFileId } from '../ids.ts'
import type { Limits } from '../limits.ts'
import { RateBucket } from '../rate-bucket.ts'
import { rateLimitError } from '../rate-limiter.ts'
import { SeededRandom } from '../seeded-random.ts'
import { batchRecordSchema, isTerminal } from './batch-record.ts'
import type { BatchError, BatchRecord, Inspection } from './batch-record.ts'
import type { BatchRequest } from './batch-request.ts'
import { BatchRunner } from './batch-runner.ts'
import type { RunnerDeps } from './batch-runner.ts'
import { enqueuedTooMuch, noInputFile } from './job-complaints.ts'
import { failureOf, isHidden } from './job-fault-effects.ts'
import type { JobFault } from './job-fault.ts'
import { inspectInput } from './inspect-input.ts'
import { JobFiles } from './job-files.ts'
import { LineFaults } from './line-faults.ts'
import { planBatch } from './turnaround.ts'
import type { Turnaround } from './turnaround.ts'
import { Turns } from './turns.ts'

const windowMs = 86_400_000
const hourMs = 3_600_000

export interface QueueDeps extends Omit<RunnerDeps, 'inspect' | 'turns'> {
  /** Asked anew each time: they may be changed while jobs run. */
  readonly limits: () => Limits
  readonly seed: number
  /** Draws the faults of a job that is created: none unless told. */
  readonly drawFaults?: () => readonly JobFault[]
}

/** The jobs: creates and cancels them, and runs all that have not ended. */
export class BatchQueue implements AsyncDisposable {
  /** Of the jobs created from now on. */
  turnaround: Turnaround
  readonly #deps: QueueDeps
  readonly #stop = new AbortController()
  readonly #turns = new Turns()
  readonly #runners = new Map<string, BatchRunner>()
  readonly #running = new Set<Promise<void>>()
  #creations: RateBucket | undefined

  constructor(deps: QueueDeps, turnaround: Turnaround) {
    this.#deps = deps
    this.turnaround = turnaround
    mkdirSync(deps.jobsFolder, { recursive: true })
  }

  /** Goes on with the jobs that had not ended when the server did. */
  resume(): void {
    const { jobsFolder, state } = this.#deps
    const unfinished = [...state.batches.values()].filter(batch => !isTerminal(batch))
    const ids = new Set(unfinished.map(batch => batch.id))
    for (const name of readdirSync(jobsFolder)) {
      if (!ids.has(name)) rmSync(join(jobsFolder, name))
    }
    for (const batch of unfinished) this.#run(batch)
  }

  /** @throws {ApiError} 429. */
  create(request: BatchRequest): BatchRecord {
    const { seed, state, virtualClock } = this.#deps
    const nowMs = virtualClock.nowMs()
    this.#countCreation(nowMs)
    // A draw of its own for each job: it does not depend on what else is drawn, nor on a restart.
    const random = new SeededRandom(seed + state.batches.size * 7919)
    const batch = batchRecordSchema.parse({
      ...request,
      id: newBatchId(nowMs + virtualClock.skewMs),
      plan: planBatch(this.turnaround, random),
      orderSeed: Math.floor(random.next() * 2 ** 32),
      status: 'validating',
      createdMs: nowMs,
      skewMs: virtualClock.skewMs,
      expiresMs: nowMs + windowMs,
      outputFileId: newFileId(),
      errorFileId: newFileId(),
      faults: this.#deps.drawFaults?.() ?? []
    })
    state.commit(nowMs, { kind: 'batch', batch })
    this.#run(batch)
    return batch
  }

  /** The newest first, by the time that is shown. */
  list(): BatchRecord[] {
    const { state, virtualClock } = this.#deps
    const nowMs = virtualClock.nowMs()
    const listed = [...state.batches.values()].filter(batch => !isHidden(batch, 'list', nowMs)).toReversed()
    return listed.toSorted((a, b) => b.createdMs + b.skewMs - (a.createdMs + a.skewMs))
  }

  /** @throws {ApiError} 404. */
  get(id: string): BatchRecord {
    const { state, virtualClock } = this.#deps
    const batch = state.batches.get(id)
    if (!batch || isHidden(batch, 'everywhere', virtualClock.nowMs())) throw noSuchBatch(id)
    return batch
  }

  /** @throws {ApiError} 404, or 409 for a job that has ended otherwise. */
  cancel(id: string): BatchRecord {
    const { state, virtualClock } = this.#deps
    const batch = this.get(id)
    if (batch.status === 'cancelling' || batch.status === 'cancelled') return batch
    if (isTerminal(batch)) {
      throw new ApiError({
        status: 409,
        message: `Cannot cancel a batch with status '${batch.status}'.`,
        type: 'invalid_request_error'
      })
    }
    const nowMs = virtualClock.nowMs()
    const cancelling: BatchRecord = { ...batch, status: 'cancelling', cancellingMs: nowMs }
    state.commit(nowMs, { kind: 'batch', batch: cancelling })
    this.#runners.get(id)?.wake()
    return cancelling
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  #run({ id }: BatchRecord): void {
    const deps = { ...this.#deps, turns: this.#turns, inspect: this.#inspect.bind(this) }
    const runner = new BatchRunner(id, deps, this.#stop.signal)
    this.#runners.set(id, runner)
    const running = runner.run().finally(() => {
      this.#runners.delete(id)
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  async #inspect(batch: BatchRecord, path: string, signal: AbortSignal): Promise<Inspection> {
    const { counter, files, vectors } = this.#deps
    const file = files.find(batch.inputFileId)
    if (file?.purpose !== 'batch') return unusableFile(batch.inputFileId)
    JobFiles.keepInput(files.pathOf(file.id), path)
    // Nothing of the other endpoints is served.
    const models = batch.endpoint === '/v1/embeddings' ? vectors.models : []
    const faults = new LineFaults(batch.faults, 'inspection')
    const inspection = await inspectInput(
      path,
      { endpoint: batch.endpoint, models, counter, turns: this.#turns, faults },
      signal
    )
    if (inspection.errors.length > 0) return inspection
    const full = failureOf(batch) ?? this.#checkRoom(batch, inspection)
    return full ? { ...inspection, errors: [full] } : inspection
  }

  #checkRoom({ id }: BatchRecord, { model, tokens }: Inspection): BatchError | undefined {
    const { limits, state } = this.#deps
    const limit = limits().enqueuedTokens
    if (limit === null) return undefined
    const others = [...state.batches.values()].filter(
      other =>
        other.id !== id &&
        !isTerminal(other) &&
        other.inspection?.errors.length === 0 &&
        other.inspection.model === model
    )
    const enqueued = others.reduce((sum, other) => sum + (other.inspection?.tokens ?? 0), 0)
    if (enqueued + tokens <= limit) return undefined
    return enqueuedTooMuch(model ?? '', limit)
  }

  #countCreation(nowMs: number): void {
    const limit = this.#deps.limits().batchesPerHour
    if (limit === null) return
    if (this.#creations?.limit !== limit) this.#creations = new RateBucket(limit, hourMs)
    const waitMs = this.#creations.waitMs(1, nowMs)
    if (waitMs > 0) {
      const message = `Rate limit reached for batch creation in organization org-local: Limit ${limit} batches per hour. Please try again later.`
      throw rateLimitError({ type: 'requests', message, waitMs }, {})
    }
    this.#creations.take(1, nowMs)
  }
}

export function noSuchBatch(id: string): ApiError {
  return new ApiError({
    status: 404,
    message: `No batch found with id '${id}'.`,
    type: 'invalid_request_error'
  })
}

function unusableFile(id: string): Inspection {
  return { errors: [noInputFile(id)], lines: 0, tokens: 0, model: null }
}
