// Carries one job through its life. What is to happen next is decided in next-step.ts from the job's record and
// the time; here it is done.
//
//   R1  A line's answer is in its file before it is paid, and paid before the record counts it. After a kill the
//       record says where to go on; what the files hold behind that is written over, and what the bill holds
//       behind that is not paid again.
//   R2  The record is read anew for each step: a cancel may come in between at any await.
//   R3  Nothing waits but in `#pause`, and everything else is work in the clock's sense.

import type { Bill } from '../bill.ts'
import { ByteBuffer } from '../byte-buffer.ts'
import type { FileRecord } from '../files/file-record.ts'
import type { FileStore } from '../files/file-store.ts'
import type { Change, ServerState } from '../server-state.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { VectorSource } from '../vector-source.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { isTerminal } from './batch-record.ts'
import type { BatchRecord } from './batch-record.ts'
import type { Inspection } from './batch-record.ts'
import { JobFiles } from './job-files.ts'
import { cutLineFeeds, listsRest, openOutput } from './job-fault-files.ts'
import type { NotRun } from './line-answer.ts'
import { LineFaults } from './line-faults.ts'
import { linesRun, nextStep } from './next-step.ts'
import type { Step } from './next-step.ts'
import { addStruck, hasFailed, paidRequests } from './ran-line.ts'
import { runSlice, writeSlice, writeSliceNotRun } from './run-slice.ts'
import type { Turns } from './turns.ts'

/** In one turn. */
const linesGivenUp = 1000
const bufferBytes = 256 * 1024

const expired: NotRun = {
  code: 'batch_expired',
  message: 'This request could not be executed before the completion window expired.'
}
const cancelled: NotRun = {
  code: 'batch_cancelled',
  message: 'This request was not executed because the batch was cancelled.'
}

export interface RunnerDeps {
  readonly state: ServerState
  readonly files: FileStore
  readonly virtualClock: VirtualClock
  readonly bill: Bill
  readonly vectors: VectorSource
  readonly counter: TokenCounter
  readonly turns: Turns
  /** Holds the inputs of the jobs that run. */
  readonly jobsFolder: string
  /** Reads the input; decides whether the queue has room for it. */
  readonly inspect: (batch: BatchRecord, path: string, signal: AbortSignal) => Promise<Inspection>
  /** Hears of each job that has ended. */
  readonly onEnd?: (batch: BatchRecord) => void
}

export class BatchRunner {
  readonly #id: string
  readonly #deps: RunnerDeps
  readonly #stopped: AbortSignal
  #wake = new AbortController()
  #files: JobFiles | undefined
  #lineFaults: LineFaults | undefined
  readonly #output = new ByteBuffer(bufferBytes)
  readonly #errors = new ByteBuffer(bufferBytes)

  constructor(id: string, deps: RunnerDeps, stopped: AbortSignal) {
    this.#id = id
    this.#deps = deps
    this.#stopped = stopped
  }

  /** Until the job has ended or the server stops. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const untilMs = await this.#workOff()
        if (untilMs === undefined) return
        await this.#pause(untilMs)
      }
    } catch (error) {
      if (!this.#stopped.aborted) this.#giveUp(error)
    } finally {
      await this.#files?.[Symbol.asyncDispose]()
    }
  }

  /** The record has changed: look again. */
  wake(): void {
    this.#wake.abort()
  }

  get #batch(): BatchRecord {
    const batch = this.#deps.state.batches.get(this.#id)
    if (!batch) throw new Error(`no batch ${this.#id}`)
    return batch
  }

  /** @returns until when there is nothing to do; undefined for ever. */
  async #workOff(): Promise<number | undefined> {
    using _work = this.#deps.virtualClock.work()
    for (;;) {
      this.#stopped.throwIfAborted()
      const step = nextStep(this.#batch, this.#deps.virtualClock.nowMs())
      if (step.kind === 'rest') return undefined
      if (step.kind === 'wait') return step.untilMs
      await this.#do(step)
    }
  }

  async #pause(untilMs: number): Promise<void> {
    this.#wake = new AbortController()
    const signal = AbortSignal.any([this.#wake.signal, this.#stopped])
    try {
      await this.#deps.virtualClock.wait(untilMs - this.#deps.virtualClock.nowMs(), signal)
    } catch (error) {
      if (!this.#wake.signal.aborted) throw error
    }
  }

  async #do(step: Exclude<Step, { kind: 'rest' | 'wait' }>): Promise<void> {
    const nowMs = this.#deps.virtualClock.nowMs()
    switch (step.kind) {
      case 'inspect':
        return await this.#inspect()
      case 'fail':
        return await this.#end({ status: 'failed', failedMs: nowMs })
      case 'begin':
        return this.#update({ status: 'in_progress', inProgressMs: nowMs })
      case 'run':
        return await this.#runSlice(step.untilLine)
      case 'finalize':
        return this.#update({ status: 'finalizing', finalizingMs: nowMs })
      case 'complete':
        return await this.#complete(nowMs)
      case 'expire':
        return await this.#giveUpRest(expired, { status: 'expired', expiredMs: nowMs })
      case 'cancel':
        return await this.#giveUpRest(cancelled, { status: 'cancelled', cancelledMs: nowMs })
      case 'begin-cancel':
        return this.#update({ status: 'cancelling', cancellingMs: nowMs })
    }
  }

  async #inspect(): Promise<void> {
    const { jobsFolder, inspect } = this.#deps
    const batch = this.#batch
    const inspection = await inspect(batch, JobFiles.inputPath(jobsFolder, batch), this.#stopped)
    this.#update({ inspection })
  }

  async #runSlice(untilLine: number): Promise<void> {
    const { bill } = this.#deps
    const files = await this.#openFiles()
    await this.#deps.turns.next()
    const from = linesRun(this.#batch)
    this.#lineFaults ??= new LineFaults(this.#batch.faults, 'run')
    const lines = await runSlice(files.input, from, untilLine, this.#lineFaults, this.#deps)
    const { errorBytes, faults, outputBytes } = this.#batch
    this.#output.clear()
    this.#errors.clear()
    writeSlice(lines, this.#output, this.#errors)
    const output = outputBytes === 0 ? openOutput(this.#output.bytes, faults) : this.#output.bytes
    await files.writeOutput(output, outputBytes)
    await files.writeErrors(this.#errors.bytes, errorBytes)

    const settledLines = from + lines.length
    const paidAlready = bill.settledLines(this.#id) - from
    const requests = paidRequests(lines.slice(Math.max(0, paidAlready)))
    const [first] = requests
    if (first) bill.payLines({ job: this.#id, model: first.model, settledLines, requests })
    const batch = this.#batch
    const failed = lines.filter(hasFailed).length
    this.#update({
      completed: batch.completed + lines.length - failed,
      failed: batch.failed + failed,
      usedTokens: batch.usedTokens + paidRequests(lines).reduce((sum, { tokens }) => sum + tokens, 0),
      outputBytes: outputBytes + output.length,
      errorBytes: errorBytes + this.#errors.length,
      struck: addStruck(batch.struck, lines)
    })
  }

  /** A job that ends so although it was cancelled may have left out what is between. */
  async #complete(nowMs: number): Promise<void> {
    const { finalizingMs, inProgressMs } = this.#batch
    return await this.#end({
      status: 'completed',
      inProgressMs: inProgressMs ?? nowMs,
      finalizingMs: finalizingMs ?? nowMs,
      completedMs: nowMs
    })
  }

  /** Says of each line that did not run why, and ends the job. */
  async #giveUpRest(reason: NotRun, ended: Partial<BatchRecord>): Promise<void> {
    const { faults, inProgressMs, status } = this.#batch
    if (inProgressMs !== null && listsRest(reason, faults)) {
      const files = await this.#openFiles()
      const from = linesRun(this.#batch)
      // The record does not count these bytes before the end: after a kill they are written again.
      let bytes = this.#batch.errorBytes
      for (let at = from; at < files.input.lines; at += linesGivenUp) {
        await this.#deps.turns.next()
        this.#stopped.throwIfAborted()
        this.#errors.clear()
        const until = Math.min(at + linesGivenUp, files.input.lines)
        writeSliceNotRun(files.input, at, until, reason, this.#errors)
        await files.writeErrors(this.#errors.bytes, bytes)
        bytes += this.#errors.length
      }
      // A cancel has come in between: its reason is another.
      if (this.#batch.status !== status) return
      return await this.#end({ ...ended, errorBytes: bytes })
    }
    return await this.#end(ended)
  }

  async #end(ended: Partial<BatchRecord>): Promise<void> {
    const before = this.#batch
    const batch = cutLineFeeds({ ...before, ...ended })
    // Opened also when a kill came in between: they are to be cut to what the record says.
    if (batch.inProgressMs !== null) await (await this.#openFiles()).finish(batch)
    this.#files = undefined
    if (this.#batch.status !== before.status) return
    const changes: Change[] = this.#outputsOf(batch).map(file => ({ kind: 'file', file }))
    this.#deps.state.commit(this.#deps.virtualClock.nowMs(), ...changes, { kind: 'batch', batch })
    JobFiles.remove(this.#deps.jobsFolder, batch)
    this.#deps.onEnd?.(batch)
  }

  #outputsOf(batch: BatchRecord): FileRecord[] {
    const nowMs = this.#deps.virtualClock.nowMs()
    const common = {
      createdMs: nowMs,
      skewMs: batch.skewMs,
      expiresMs: nowMs + batch.outputExpiresAfterMs,
      purpose: 'batch_output' as const
    }
    const files = [
      { ...common, id: batch.outputFileId, bytes: batch.outputBytes, filename: `${batch.id}_output.jsonl` },
      { ...common, id: batch.errorFileId, bytes: batch.errorBytes, filename: `${batch.id}_error.jsonl` }
    ]
    return files.filter(file => file.bytes > 0)
  }

  async #openFiles(): Promise<JobFiles> {
    const { files, jobsFolder } = this.#deps
    this.#files ??= await JobFiles.open(jobsFolder, files, this.#batch)
    return this.#files
  }

  #update(changed: Partial<BatchRecord>): void {
    const batch = { ...this.#batch, ...changed }
    this.#deps.state.commit(this.#deps.virtualClock.nowMs(), { kind: 'batch', batch })
  }

  /** Something is broken here, as a full disk: the job must not seem to run for ever. */
  #giveUp(error: unknown): void {
    const batch = this.#batch
    if (isTerminal(batch)) return
    const message = `local-openai failed: ${error instanceof Error ? error.message : String(error)}`
    const errors = [{ code: 'server_error', message, line: null, param: null }]
    const inspection = { lines: 0, tokens: 0, model: null, ...batch.inspection, errors }
    const failedMs = this.#deps.virtualClock.nowMs()
    this.#update({ status: 'failed', failedMs, inspection, outputBytes: 0, errorBytes: 0 })
    this.#deps.onEnd?.(this.#batch)
  }
}
