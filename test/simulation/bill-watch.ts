// Looks at the bill of the provider, the index and the log, all from outside, and finds payments that were not
// necessary (I5). A second payment for a text is necessary when its vector neither stood in the index nor was being
// obtained: it was removed with a version that
// replaced it, or no admitted version wanted it for a while.
import type { MemoryJob } from '@pointsman/core/adapters/memory/batch-provider-job'
import type { Digest } from '@pointsman/core/domain/identity'
import { paymentKey, textHash } from '@pointsman/core/runtime/identity'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

interface Payment {
  readonly content: Digest
  /** When it was asked for, and when its vector was there. */
  readonly beganMs: number
  readonly endedMs: number
  readonly by: string
}

/** Faults of lines that are paid for and then of no use: the provider's affair. */
const useless: ReadonlySet<string | undefined> = new Set([
  'lost',
  'empty',
  'wrong-length',
  'not-finite',
  'zero'
])

export class BillWatch {
  readonly #world: World
  readonly #payments: Payment[] = []
  readonly #ended = new Set<MemoryJob>()
  /** How often a payment key may be paid for again, by incidents. */
  readonly #risks = new Map<Digest, number>()
  /** When a payment key was not in the index any more, or not wanted. */
  readonly #gone = new Map<Digest, number[]>()
  #present = new Set<Digest>()
  #wanted = new Set<Digest>()
  /** A, as far as it ever came. */
  readonly #admitted = new Map<number, bigint>()
  readonly #newest = new Map<string, { readonly version: number; readonly content: Digest | undefined }>()
  readonly #unwantedSince = new Map<Digest, number>()

  constructor(world: World) {
    this.#world = world
  }

  get payments(): number {
    return this.#payments.length
  }

  risk(contents: Iterable<Digest>): void {
    for (const content of new Set(contents)) this.#risks.set(content, (this.#risks.get(content) ?? 0) + 1)
  }

  paid(texts: readonly string[], by: string): void {
    const nowMs = this.#world.schedule.nowMs
    for (const text of texts) {
      this.#payments.push({ content: this.contentOf(text), beganMs: nowMs, endedMs: nowMs, by })
    }
  }

  contentOf(text: string): Digest {
    return paymentKey(this.#world.spec, textHash(text))
  }

  /** Jobs that have ended since, and texts that a new one would pay for while another may. */
  lookAtJobs(): void {
    const { provider, schedule } = this.#world
    for (const job of provider.server.jobs) {
      if (!job.hasEnded || this.#ended.has(job)) continue
      this.#ended.add(job)
      const beganMs = this.#beganMs.get(job) ?? 0
      const contents = new Set(
        job.output.filter(({ fault }) => !useless.has(fault)).map(({ line }) => line.content)
      )
      for (const content of contents) {
        this.#payments.push({ content, beganMs, endedMs: schedule.nowMs, by: job.batchId })
      }
      this.#world.story.note(`a job ended: ${job.status}`)
      if (job.status === 'cancelled' && job.output.length > 0) {
        this.#world.story.note('a cancelled job had done some lines')
      }
    }
  }

  readonly #beganMs = new Map<MemoryJob, number>()

  jobMade(): void {
    const { provider, schedule } = this.#world
    const { inputs, jobs } = provider.server
    const linesOf = (job: MemoryJob): readonly Digest[] =>
      job.status === 'validating'
        ? (inputs.get(job.inputFileId)?.lines ?? []).map(({ content }) => content)
        : job.lines.map(({ content }) => content)
    for (const job of jobs) {
      if (this.#beganMs.has(job)) continue
      this.#beganMs.set(job, schedule.nowMs)
      const lines = new Set(linesOf(job))
      for (const other of jobs) {
        if (other === job || other.hasEnded || this.#beganMs.get(other) === undefined) continue
        const both = linesOf(other).find(content => lines.has(content))
        if (both === undefined) continue
        throw new Violation(
          'OnePayer',
          `${job.batchId} (${job.key.manifest}) and ${other.batchId} (${other.key.manifest}) both pay for ${both}`
        )
      }
    }
  }

  lookAtIndex(): void {
    const present = new Set(
      [...this.#world.store.objects.values()].map(({ properties }) => properties.paymentKey)
    )
    for (const content of this.#present) if (!present.has(content)) this.#note(content)
    this.#present = present
  }

  /** What was admitted since: of each document, the newest version is wanted. */
  lookAtFrontiers(frontiers: ReadonlyMap<number, bigint>): void {
    const { log } = this.#world
    let hasRisen = false
    for (const [partition, frontier] of frontiers) {
      const from = this.#admitted.get(partition) ?? 0n
      if (frontier <= from) continue
      hasRisen = true
      this.#admitted.set(partition, frontier)
      for (const record of log.slice(partition, from, frontier, Number.POSITIVE_INFINITY)) {
        const document = documentIn(record.value)
        if (document === undefined) continue
        const { deleted, docId, text, version } = document
        if ((this.#newest.get(docId)?.version ?? -1) > version) continue
        this.#newest.set(docId, { version, content: deleted ? undefined : this.contentOf(text) })
      }
    }
    if (hasRisen) this.#weigh()
  }

  /** What the newest versions want, by now. */
  #weigh(): void {
    const { schedule } = this.#world
    const wanted = new Set([...this.#newest.values()].flatMap(({ content }) => content ?? []))
    for (const content of this.#wanted) {
      if (wanted.has(content)) continue
      this.#note(content)
      this.#unwantedSince.set(content, schedule.nowMs)
    }
    for (const content of wanted) {
      if (this.#unwantedSince.delete(content)) this.#note(content)
    }
    this.#wanted = wanted
  }

  /** A rebuild looks at the log now: what no newest version wants there, it does not ask for. */
  lookAtRebuild(): void {
    const wanted = new Set(
      [...newestOf(this.#world).values()].flatMap(({ deleted, text }) =>
        deleted ? [] : [this.contentOf(text)]
      )
    )
    for (const content of new Set(this.#payments.map(payment => payment.content))) {
      if (!wanted.has(content)) this.#note(content)
    }
    for (const job of this.#beganMs.keys()) {
      for (const { content } of job.lines) if (!wanted.has(content)) this.#note(content)
    }
  }

  /** A version of a document was given up: it wants its text no more, whatever comes of others with the same text. */
  gaveUp({ docId, text, version }: Pick<Produced, 'docId' | 'text' | 'version'>): void {
    this.#note(this.contentOf(text))
    if (this.#newest.get(docId)?.version !== version) return
    this.#newest.set(docId, { version, content: undefined })
    this.#weigh()
  }

  /** I5. @returns how often something was paid for again, and how often that was allowed. */
  check(): { readonly repeated: number; readonly allowed: number } {
    let repeated = 0
    for (const [content, payments] of Map.groupBy(this.#payments, payment => payment.content)) {
      const inOrder = payments.toSorted((a, b) => a.beganMs - b.beganMs || a.endedMs - b.endedMs)
      const again = inOrder.filter((payment, index) => {
        const before = inOrder[index - 1]
        return before !== undefined && !this.#isNecessary(content, before, payment)
      })
      const allowed = this.#risks.get(content) ?? 0
      repeated += again.length
      if (again.length <= allowed) continue
      const bill = inOrder.map(
        ({ beganMs, by, endedMs }) => `${by} ${beganMs.toFixed(0)}-${endedMs.toFixed(0)}`
      )
      throw new Violation(
        'I5 PayBound',
        `${content} was paid for ${inOrder.length} times (${bill.join(', ')}), ${again.length} of them again; incidents allow ${allowed}`
      )
    }
    const allowed = [...this.#risks.values()].reduce((sum, times) => sum + times, 0)
    return { repeated, allowed }
  }

  #isNecessary(content: Digest, before: Payment, payment: Payment): boolean {
    const gone = this.#gone.get(content) ?? []
    const unwanted = this.#unwantedSince.get(content) ?? Number.POSITIVE_INFINITY
    if (payment.beganMs < before.endedMs) return false
    return gone.some(ms => ms >= before.beganMs && ms <= payment.endedMs) || unwanted <= payment.beganMs
  }

  #note(content: Digest): void {
    this.#gone.set(content, [...(this.#gone.get(content) ?? []), this.#world.schedule.nowMs])
  }
}

export interface Produced {
  readonly docId: string
  readonly version: number
  readonly text: string
  readonly title: string
  readonly metadata: string
  readonly deleted: boolean
  readonly partition: number
  readonly offset: bigint
}

export interface Newest extends Produced {
  /** Versions from here on had nothing new when they came: what became of the first became of them all. */
  readonly sinceVersion: number
}

/** The newest version of each document: of two equal ones, the later. */
export function newestOf({ log }: World): ReadonlyMap<string, Newest> {
  const newest = new Map<string, Newest>()
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const { end, start } = log.bounds(partition)
    for (const record of log.slice(partition, start, end, Number.POSITIVE_INFINITY)) {
      const document = documentIn(record.value)
      if (document === undefined) continue
      const known = newest.get(document.docId)
      if (known !== undefined && known.version > document.version) continue
      const hasNew = known === undefined || contentsOf(known) !== contentsOf(document)
      const sinceVersion = hasNew ? document.version : known.sinceVersion
      newest.set(document.docId, { ...document, partition, offset: record.offset, sinceVersion })
    }
  }
  return newest
}

/** Equal for two versions of a document of which the later one has nothing new. */
export function contentsOf({
  deleted,
  docId,
  metadata,
  text,
  title
}: Omit<Produced, 'offset' | 'partition'>): string {
  return JSON.stringify([docId, deleted, text, title, metadata])
}

export function documentIn(
  value: Uint8Array | undefined
): Omit<Produced, 'partition' | 'offset'> | undefined {
  if (value === undefined) return undefined
  try {
    const { document } = JSON.parse(new TextDecoder().decode(value))
    return document
  } catch {
    return undefined
  }
}
