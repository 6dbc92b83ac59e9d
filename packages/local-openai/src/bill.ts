import { BillFile } from './bill-file.ts'
import type { BillRecord } from './bill-file.ts'
import type { EmbeddingsRequest } from './embeddings-request.ts'
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
    readonly jobs: number
    readonly inputs: number
    readonly tokens: number
    readonly usd: number
  }
  /** Inputs that differ in model, dimensions or text: what would have been enough to pay for. */
  readonly distinctInputs: number
  readonly distinctTokens: number
}

const nothing = { requests: 0, inputs: 0, tokens: 0, nanoUsd: 0 }

/** What a user of this server would have been charged, and for what. */
export class Bill implements Disposable {
  #realtime = { ...nothing }
  #table = new PaymentTable()
  readonly #file: BillFile | undefined

  /** @param path - where to keep the bill over restarts; in memory only without it. */
  constructor(path?: string) {
    this.#file = path === undefined ? undefined : BillFile.open(path, record => this.#add(record))
  }

  /** Once this returns, the request is paid, whatever becomes of its answer. */
  pay(request: EmbeddingsRequest): void {
    const record: BillRecord = {
      kind: 'realtime',
      atMs: Date.now(),
      model: request.model.id,
      dimensions: request.dimensions,
      nanoUsdPerToken: request.model.realtimeNanoUsdPerToken,
      tokens: request.inputs.map(input => input.tokens),
      inputs: Buffer.concat(request.inputs.map(input => input.digest.subarray(0, 16))).toString('base64')
    }
    this.#file?.append(record)
    this.#add(record)
  }

  report(): BillReport {
    const { nanoUsd, ...realtime } = this.#realtime
    return {
      realtime: { ...realtime, usd: nanoUsd / 1e9 },
      batch: { jobs: 0, inputs: 0, tokens: 0, usd: 0 },
      distinctInputs: this.#table.distinctInputs,
      distinctTokens: this.#table.distinctTokens
    }
  }

  payments(minCount: number): Iterable<Payment> {
    return this.#table.list(minCount)
  }

  clear(): void {
    this.#file?.clear()
    this.#realtime = { ...nothing }
    this.#table = new PaymentTable()
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]()
  }

  #add(record: BillRecord): void {
    const space = this.#table.space(record.model, record.dimensions)
    const digests = Buffer.from(record.inputs, 'base64')
    let tokens = 0
    for (const [index, count] of record.tokens.entries()) {
      this.#table.pay(space, digests, index * 16, count)
      tokens += count
    }
    this.#realtime.requests++
    this.#realtime.inputs += record.tokens.length
    this.#realtime.tokens += tokens
    this.#realtime.nanoUsd += tokens * record.nanoUsdPerToken
  }
}
