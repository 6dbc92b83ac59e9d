// The ledger as one life of an instance knows it. The life is over with the first call that finds another ledger, or one
// that is being rebuilt, in its place, or one that tells less than it told before; from then on no call of this life
// reaches the ledger, so that nothing which is still under way can be taken for something of the next life.
import { Failure } from '../domain/failure.ts'
import type { AdmitReply, Ledger, LedgerState, PartitionState } from '../ports/ledger.ts'
import { messageOf } from '../runtime/message-of.ts'
import { RisingNumbers } from './rising-numbers.ts'

type Own = Pick<Ledger, 'state' | 'admit' | 'openPartition' | 'watermarks' | 'watch'>
type Numbers = Iterable<readonly [name: string, value: bigint]>

export class LedgerLife {
  readonly ledgerId: string
  /** Every call of this life goes through it. */
  readonly ledger: Ledger
  readonly #over = new AbortController()
  readonly #told = new RisingNumbers()
  #distrusted: string | undefined

  /** @param ledger - opened, and not being rebuilt. */
  constructor(ledger: Ledger, { ledgerId }: Pick<LedgerState, 'ledgerId'>) {
    this.ledgerId = ledgerId
    this.ledger = this.#guard(ledger)
  }

  /** Aborts when this life is over. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Why the ledger cannot be right and has to be given up; undefined when it was lost otherwise. */
  get distrusted(): string | undefined {
    return this.#distrusted
  }

  /** Ends this life: the ledger forgot what it had answered. */
  distrust(because: string): void {
    if (this.over.aborted) return
    this.#distrusted = because
    this.#end(because)
  }

  #end(reason: string): void {
    this.#over.abort(new Failure('LEDGER_FOREIGN', reason))
  }

  #guard(ledger: Ledger): Ledger {
    const own: Own = {
      state: () => this.#judge(() => ledger.state(), heardOfState),
      admit: async admission => {
        const reply = await this.#judge(() => ledger.admit(admission), heardOfRefusal)
        // Perhaps the answer of an earlier call, repeated: A has come so far at least.
        if (reply.kind === 'admitted') {
          for (const { partition, to } of admission.slices) this.#told.learn(frontierOf(partition), to)
        }
        return reply
      },
      openPartition: (partition, logStart) =>
        this.#judge(() => ledger.openPartition(partition, logStart), heardOfPartition(partition)),
      watermarks: () => this.#judge(() => ledger.watermarks(), heardOfWatermarks),
      watch: async onChange => {
        const watch = await ledger.watch(onChange)
        // Nobody is told of it any more.
        if (this.over.aborted) await watch[Symbol.asyncDispose]()
        return watch
      }
    }
    return new Proxy(ledger, {
      get: (target, key) => {
        const source = key in own ? own : target
        const value: unknown = Reflect.get(source, key, source)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => this.#call(async () => value.apply(source, args))
      }
    })
  }

  /** Also an answer that comes after the end is none: nothing may be done on its account. */
  async #call(call: () => Promise<unknown>): Promise<unknown> {
    this.over.throwIfAborted()
    let answer: unknown
    try {
      answer = await call()
    } catch (error) {
      if (isLoss(error)) this.#end(messageOf(error))
      throw error
    }
    this.over.throwIfAborted()
    return answer
  }

  async #judge<Answer>(call: () => Promise<Answer>, heard: (answer: Answer) => Numbers): Promise<Answer> {
    const judge = this.#told.ask()
    const answer = await call()
    const fallen = judge(heard(answer))
    if (fallen !== undefined) this.distrust(`the ledger was rolled back: ${fallen}`)
    return answer
  }
}

/** Another ledger, or one that is being rebuilt: what was held in the one before is gone. */
export function isLoss(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'LEDGER_FOREIGN' || error.code === 'LEDGER_REBUILDING')
}

function heardOfState({ epoch, partitions, rebuild }: LedgerState): Numbers {
  if (rebuild !== undefined) throw new Failure('LEDGER_REBUILDING', rebuild.because)
  return [['the epoch', BigInt(epoch)], ...frontiersOf(partitions)]
}

function heardOfRefusal(reply: AdmitReply): Numbers {
  if (reply.kind === 'fenced') return [['the epoch', BigInt(reply.epoch)]]
  if (reply.kind !== 'behind') return []
  return [...reply.frontiers].map(([partition, frontier]) => [frontierOf(partition), frontier])
}

function heardOfPartition(partition: number): (state: PartitionState) => Numbers {
  return state => frontiersOf(new Map([[partition, state]]))
}

function heardOfWatermarks(watermarks: ReadonlyMap<number, bigint>): Numbers {
  return [...watermarks].map(([partition, watermark]) => [`W of partition ${partition}`, watermark])
}

function frontiersOf(partitions: ReadonlyMap<number, PartitionState>): [string, bigint][] {
  return [...partitions].map(([partition, { frontier }]) => [frontierOf(partition), frontier])
}

function frontierOf(partition: number): string {
  return `A of partition ${partition}`
}
