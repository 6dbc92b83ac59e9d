// Sends what was planned, in batches: one batch is on its way while the next is filled, and no more. Order of steps
// as in emitted-store.ts, S1 and S2.
import type { Document } from '@pointsman/core/domain/document'
import { policyOf } from '@pointsman/core/domain/failure'
import type { Clock } from '@pointsman/core/ports/clock'
import type { DocumentWriter } from '@pointsman/core/ports/event-log'
import type { EmittedStore } from './emitted-store.ts'
import type { Entry } from './entry.ts'
import type { IngestEvent } from './ingest-report.ts'
import type { Sink } from './ingestion.ts'
import type { LooseEnds } from './loose-ends.ts'
import type { Emission } from './plan-emission.ts'
import type { Tally } from './tally.ts'
import { untilAvailable } from './until-available.ts'
import { messageOf } from '@pointsman/core/runtime/message-of'

export interface EmitterDeps {
  readonly writer: DocumentWriter
  readonly store: EmittedStore
  readonly clock: Clock
  readonly looseEnds: LooseEnds
  readonly tally: Tally
  readonly tell: (event: IngestEvent) => void
}

type Sending = Extract<Emission, { kind: 'emit' }>
type Change = Parameters<EmittedStore['replace']>[0][number]

const batchDocuments = 1000
const batchLength = 4_000_000

export class Emitter implements Sink {
  readonly #deps: EmitterDeps
  readonly #signal: AbortSignal
  #sendings: Sending[] = []
  #notes: Change[] = []
  #documents = 0
  #length = 0
  #underWay: Promise<void> = Promise.resolve()

  constructor(deps: EmitterDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  entry(id: string): Entry | undefined {
    return this.#deps.store.entry(id)
  }

  /** Waits while the batch before is still under way and this one is full. */
  async add(sending: Sending): Promise<void> {
    this.#sendings.push(sending)
    this.#documents += sending.documents.length
    for (const { text, metadata } of sending.documents) this.#length += text.length + metadata.length
    if (this.#documents >= batchDocuments || this.#length >= batchLength) await this.#flush()
  }

  /** Remembers something of which nothing is to be sent. */
  async note(change: Change): Promise<void> {
    this.#notes.push(change)
    if (this.#notes.length >= batchDocuments) await this.#flush()
  }

  /** Resolves when everything added was acknowledged and is remembered. */
  async drain(): Promise<void> {
    await this.#flush()
    await this.#underWay
    this.#deps.store.endReading()
  }

  async #flush(): Promise<void> {
    await this.#underWay
    const sendings = this.#sendings
    const notes = this.#notes
    this.#sendings = []
    this.#notes = []
    this.#documents = 0
    this.#length = 0
    if (sendings.length === 0 && notes.length === 0) return
    this.#underWay = this.#send(sendings, notes)
    // Its failure is met at the next flush or drain; until then it is not an unhandled one.
    this.#underWay.catch(() => undefined)
  }

  async #send(sendings: readonly Sending[], notes: readonly Change[]): Promise<void> {
    const { store, tally, looseEnds } = this.#deps
    const intents = sendings.map(({ from, intent }) => ({ from, entry: intent }))
    const refused = new Set(store.replace([...notes, ...intents]))
    const accepted = sendings.filter(({ intent }) => !refused.has(intent.id))
    for (const { intent } of sendings) {
      if (!refused.has(intent.id)) continue
      const reason = 'another run changed it at the same time: ingest it again'
      looseEnds.again(intent.origin, intent.path)
      tally.reject({ path: intent.path, id: intent.id, reason })
    }
    const sent = await this.#sendAll(accepted)
    store.settle(sent.map(({ after }) => after))
  }

  /** @returns those that the log took. */
  async #sendAll(sendings: readonly Sending[]): Promise<readonly Sending[]> {
    const documents = sendings.flatMap(sending => sending.documents)
    try {
      for (let from = 0; from < documents.length; from += batchDocuments) {
        await this.#write(documents.slice(from, from + batchDocuments))
      }
      return sendings
    } catch (error) {
      if (policyOf(error)[0] !== 'reject') throw error
      const [only] = sendings
      if (sendings.length > 1 || only === undefined) return this.#sendOneByOne(sendings)
      const reason = messageOf(error)
      this.#deps.tally.reject({ path: only.intent.path, id: only.intent.id, reason })
      return []
    }
  }

  /** One of them can never be written: the others must not suffer for it. */
  async #sendOneByOne(sendings: readonly Sending[]): Promise<readonly Sending[]> {
    const sent: Sending[] = []
    for (const sending of sendings) sent.push(...(await this.#sendAll([sending])))
    return sent
  }

  async #write(documents: readonly Document[]): Promise<void> {
    const { writer, tally } = this.#deps
    await untilAvailable(() => writer.write(documents, this.#signal), this.#deps, this.#signal)
    tally.sent(documents)
  }
}
