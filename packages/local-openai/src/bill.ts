import { BillFile } from './bill-file.ts'
import type { BillRecord } from './bill-file.ts'
import type { EmbeddingsRequest } from './embeddings-request.ts'
import { batchNanoUsdPerToken } from './models.ts'
import type { EmbeddingModel } from './models.ts'
import { PaymentTable } from './payment-table.ts'
import type { Payment } from './payment-table.ts'

export interface BillReport {
  readonly realtime: {
    readonly requests: number
    readonly inputs: number
    readonly tokens: number
    readonly usd: number
  }
  readonly batch: {
    /** Jobs of which at least one line was paid. */
    readonly jobs: number
    readonly inputs: number
    readonly tokens: number
    readonly usd: number
  }
  /** Inputs that differ in model, dimensions or text: what would have been enough to pay for. */
  readonly distinctInputs: number
  readonly distinctTokens: number
}

/** A stretch of a job's lines. */
export interface PaidLines {
  readonly job: string
  readonly model: EmbeddingModel
  /** How many lines of the job have run, in the order in which they run, with these. */
  readonly settledLines: number
  /** Those that succeeded. */
  readonly requests: readonly EmbeddingsRequest[]
}

type Paid = Pick<Extract<BillRecord, { readonly kind: 'realtime' }>, 'dimensions' | 'tokens' | 'inputs'>

const nothing = { inputs: 0, tokens: 0, nanoUsd: 0 }

/** What a user of this server would have been charged, and for what. */
export class Bill implements Disposable {
  #realtime = { requests: 0, ...nothing }
  #batch = { ...nothing }
  readonly #payingJobs = new Set<string>()
  readonly #settledLines = new Map<string, number>()
  #table = new PaymentTable()
  readonly #file: BillFile | undefined

  /** @param path - where to keep the bill over restarts; in memory only without it. */
  constructor(path?: string) {
    this.#file = path === undefined ? undefined : new BillFile(path, record => this.#add(record))
  }

  /** Once this returns, the request is paid, whatever becomes of its answer. */
  pay(request: EmbeddingsRequest): void {
    this.#write({
      kind: 'realtime',
      atMs: Date.now(),
      model: request.model.id,
      nanoUsdPerToken: request.model.realtimeNanoUsdPerToken,
      ...describePaid(request.dimensions, [request])
    })
  }

  /** Once this returns, the lines are paid, whatever becomes of the job. */
  payLines({ job, model, settledLines, requests }: PaidLines): void {
    const byDimensions = Map.groupBy(requests, request => request.dimensions)
    this.#write({
      kind: 'batch',
      atMs: Date.now(),
      model: model.id,
      nanoUsdPerToken: batchNanoUsdPerToken(model),
      job,
      settledLines,
      parts: [...byDimensions].map(([dimensions, those]) => describePaid(dimensions, those))
    })
  }

  /**
   * How many lines of the job the bill has settled, in the order in which they run: a job that goes on after
   * a kill may run some of them again, and must not pay for them again.
   */
  settledLines(job: string): number {
    return this.#settledLines.get(job) ?? 0
  }

  report(): BillReport {
    const { nanoUsd, ...realtime } = this.#realtime
    const { nanoUsd: batchNanoUsd, ...batch } = this.#batch
    return {
      realtime: { ...realtime, usd: nanoUsd / 1e9 },
      batch: { jobs: this.#payingJobs.size, ...batch, usd: batchNanoUsd / 1e9 },
      distinctInputs: this.#table.distinctInputs,
      distinctTokens: this.#table.distinctTokens
    }
  }

  payments(minCount: number): Iterable<Payment> {
    return this.#table.list(minCount)
  }

  clear(): void {
    this.#file?.clear()
    this.#realtime = { requests: 0, ...nothing }
    this.#batch = { ...nothing }
    this.#payingJobs.clear()
    this.#table = new PaymentTable()
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]()
  }

  #write(record: BillRecord): void {
    this.#file?.append(record)
    this.#add(record)
  }

  #add(record: BillRecord): void {
    if (record.kind === 'realtime') {
      this.#realtime.requests++
      this.#count(this.#realtime, record, record)
      return
    }
    this.#settledLines.set(record.job, record.settledLines)
    for (const part of record.parts) {
      this.#payingJobs.add(record.job)
      this.#count(this.#batch, record, part)
    }
  }

  #count(sum: typeof nothing, { model, nanoUsdPerToken }: BillRecord, paid: Paid): void {
    const space = this.#table.space(model, paid.dimensions)
    const digests = Buffer.from(paid.inputs, 'base64')
    let tokens = 0
    for (const [index, count] of paid.tokens.entries()) {
      this.#table.pay(space, digests, index * 16, count)
      tokens += count
    }
    sum.inputs += paid.tokens.length
    sum.tokens += tokens
    sum.nanoUsd += tokens * nanoUsdPerToken
  }
}

function describePaid(dimensions: number, requests: readonly EmbeddingsRequest[]): Paid {
  const inputs = requests.flatMap(request => request.inputs)
  return {
    dimensions,
    tokens: inputs.map(input => input.tokens),
    inputs: Buffer.concat(inputs.map(input => input.digest.subarray(0, 16))).toString('base64')
  }
}
