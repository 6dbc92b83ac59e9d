// Everything outside the processes: the servers, as their memory adapters keep them, and the net between.
import { MemoryBatchProvider } from '@pointsman/core/adapters/memory/batch-provider'
import { MemoryControlLog } from '@pointsman/core/adapters/memory/control-log'
import { MemoryEmbedder } from '@pointsman/core/adapters/memory/embedder'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import { MemoryLedgerServer } from '@pointsman/core/adapters/memory/ledger-server'
import type { MemoryLedgerState } from '@pointsman/core/adapters/memory/ledger-state'
import { MemoryVectorStore } from '@pointsman/core/adapters/memory/vector-store'
import type { Clock } from '@pointsman/core/ports/clock'
import { namesOf } from '@pointsman/core/runtime/names'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'
import { Schedule } from './schedule.ts'
import { Story } from './story.ts'
import { Weather } from './weather.ts'

const dimensions = 4
/** Copies of the ledger that a fault may bring back. */
const snapshotsKept = 60
export const snapshotEveryMs = 100

interface Snapshot {
  readonly atMs: number
  readonly serial: number
  readonly state: MemoryLedgerState | undefined
}

export class World {
  readonly plan: Plan
  readonly schedule = new Schedule()
  readonly random: Random
  readonly weather: Weather
  readonly story: Story
  /** The servers' own. */
  readonly clock: Clock
  readonly log: MemoryLog
  readonly ledgerServer: MemoryLedgerServer
  /** Of nobody: for those who look from outside. */
  readonly ledger: MemoryLedger
  readonly control = new MemoryControlLog()
  readonly store = new MemoryVectorStore(dimensions)
  readonly embedder: MemoryEmbedder
  readonly provider: MemoryBatchProvider
  readonly names = namesOf('simulated')
  readonly #snapshots: Snapshot[] = []
  /** Transitions that the ledger has counted. */
  serial = 0
  #ledgers = 0

  constructor(plan: Plan) {
    const { schedule } = this
    this.plan = plan
    this.random = new Random(plan.seed, 1)
    this.weather = new Weather(this.random.stream())
    this.story = new Story(() => schedule.nowMs)
    const serverRandom = this.random.stream()
    this.clock = {
      nowMs: () => Math.floor(1_750_000_000_000 + schedule.nowMs),
      sleep: ms => new Promise(resolve => schedule.after(ms, resolve)),
      random: () => serverRandom.next()
    }
    this.log = new MemoryLog({ partitions: plan.partitions, clock: this.clock, fetchMs: plan.latencyMs })
    this.ledgerServer = new MemoryLedgerServer(() => this.clock.nowMs(), {
      newLedgerId: () => {
        this.#ledgers += 1
        return `ledger-${this.#ledgers}`
      }
    })
    this.ledger = new MemoryLedger(this.ledgerServer)
    this.embedder = new MemoryEmbedder({
      dimensions,
      answerAfter: () => this.clock.sleep(serverRandom.between(5, 120), new AbortController().signal)
    })
    this.provider = new MemoryBatchProvider({
      dimensions,
      pace: { kind: 'clock', clock: this.clock, turnaroundMs: plan.turnaroundMs },
      maxEnqueuedTokens: 400
    })
  }

  get spec(): { readonly model: string; readonly dimensions: number } {
    return { model: this.embedder.model, dimensions }
  }

  /** Keeps a copy of the ledger. */
  snapshot(): void {
    const { schedule, serial } = this
    this.#snapshots.push({ atMs: schedule.nowMs, serial, state: this.ledgerServer.snapshot() })
    if (this.#snapshots.length > snapshotsKept) this.#snapshots.shift()
  }

  loseLedger(): void {
    this.ledgerServer.lose()
    this.#snapshots.length = 0
  }

  /** @returns false when there is no copy so old of this ledger. */
  rollBackLedger(byMs: number): boolean {
    const current = this.ledgerServer.state?.ledgerId
    const copy = this.#snapshots.findLast(({ atMs }) => atMs <= this.schedule.nowMs - byMs)
    if (copy?.state === undefined || copy.state.ledgerId !== current) return false
    this.ledgerServer.rollBack(copy.state)
    this.serial = copy.serial
    this.#snapshots.length = 0
    return true
  }
}
