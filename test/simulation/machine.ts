// A machine on which a service runs, dies and is started again: by a supervisor, as in production.
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import { MemoryDeadLetters } from '@pointsman/core/adapters/memory/event-log-dead-letters'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryRangeReader } from '@pointsman/core/adapters/memory/event-log-range-reader'
import { MemoryLedger } from '@pointsman/core/adapters/memory/ledger'
import type { Clock } from '@pointsman/core/ports/clock'
import type { ControlLog } from '@pointsman/core/ports/control-log'
import type { Embedder } from '@pointsman/core/ports/embedder'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import type { DeadLetters, DocumentCodec, LogAdmin, RangeReader } from '@pointsman/core/ports/event-log'
import type { Ledger } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import type { Failpoint, HitFailpoint } from '@pointsman/core/runtime/failpoint'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { countedLedger } from './counted-ledger.ts'
import { Life } from './host.ts'
import { laggingList } from './lagging-list.ts'
import type { Process } from './plan.ts'
import type { Random } from './random.ts'
import { Seat } from './seat.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

/** What a service is given: the ports of all of them. */
export interface ServicePorts {
  readonly ledger: Ledger
  readonly store: VectorStore
  readonly codec: DocumentCodec
  readonly ranges: RangeReader
  readonly deadLetters: DeadLetters
  readonly admin: LogAdmin
  readonly control: ControlLog
  readonly embedder: Embedder
  readonly provider: BatchProvider
  readonly clock: Clock
  readonly hit: HitFailpoint
  readonly warn: (message: string) => void
}

/** Runs until the signal aborts. */
export type Service = (ports: ServicePorts, seat: Seat, signal: AbortSignal) => Promise<void>

const restartMs = 400

export class Machine {
  readonly name: string
  readonly process: Process
  readonly #world: World
  readonly #wire: Wire
  readonly #service: Service
  readonly #random: Random
  #life: Life | undefined
  #seat: Seat | undefined
  #stopping = new AbortController()
  #doomedAt: { readonly at: Failpoint; readonly downMs: number } | undefined

  constructor(process: Process, world: World, wire: Wire, service: Service) {
    this.name = process.name
    this.process = process
    this.#world = world
    this.#wire = wire
    this.#service = service
    this.#random = world.random.stream()
  }

  get isUp(): boolean {
    return this.#life !== undefined && !this.#life.isDead
  }

  get life(): Life | undefined {
    return this.#life
  }

  start(): void {
    if (this.isUp) return
    const { schedule, story } = this.#world
    const life = new Life({
      name: this.name,
      schedule,
      random: this.#random.stream(),
      skewMs: this.process.skewMs
    })
    const stopping = new AbortController()
    const seat = new Seat(this.#world, life)
    this.#life = life
    this.#seat = seat
    this.#stopping = stopping
    story.tell(this.name, 'starts')
    const ended = this.#service(this.#ports(life), seat, stopping.signal)
    void ended.then(
      () => life.reach(() => this.#exit(life, 'stopped in order')),
      (error: unknown) => life.reach(() => this.#exit(life, `ended: ${messageOf(error)}`))
    )
  }

  /** As by kill -9, and started again after a while. @param at - as soon as it comes by this point. */
  crash(downMs: number, at?: Failpoint): void {
    if (at === undefined) this.#die('is killed', downMs)
    else this.#doomedAt = { at, downMs }
  }

  /** As by SIGSTOP. */
  pause(forMs: number): void {
    const life = this.#life
    if (life === undefined || life.isDead || life.isPaused) return
    const { schedule, story } = this.#world
    story.tell(this.name, `is stopped for ${Math.round(forMs)} ms`)
    life.pause()
    this.#seat?.silence()
    schedule.after(forMs, () => {
      if (life.isDead) return
      story.tell(this.name, 'goes on')
      life.wake()
      this.#seat?.speak()
    })
  }

  /** Its consumer loses its connection. */
  rejoin(): void {
    if (this.isUp) this.#seat?.rejoin('the connection was reset')
  }

  /** In order, and started again. */
  restart(): void {
    if (!this.isUp) return
    this.#world.story.tell(this.name, 'is told to stop')
    this.#stopping.abort(new Error('told to stop'))
  }

  #die(how: string, downMs: number): void {
    const life = this.#life
    if (life === undefined || life.isDead) return
    const { schedule, story } = this.#world
    story.tell(this.name, how)
    life.die()
    this.#seat?.die()
    schedule.after(downMs, () => this.start())
  }

  #exit(life: Life, how: string): void {
    if (life.isDead) return
    const { schedule, story } = this.#world
    story.tell(this.name, how)
    life.die()
    this.#seat?.die()
    schedule.after(restartMs, () => this.start())
  }

  #ports(life: Life): ServicePorts {
    const { control, embedder, ledgerServer, log, provider, store, story } = this.#world
    const wire = this.#wire
    const codec = new MemoryDocumentCodec(log)
    const ledger = countedLedger(new MemoryLedger(ledgerServer), this.#world)
    return {
      ledger: watched(wire.port<Ledger>(life, 'ledger', ledger, ['watch']), ledger, life),
      store: wire.port<VectorStore>(life, 'store', store),
      codec,
      ranges: wire.port<RangeReader>(life, 'log', new MemoryRangeReader(log)),
      deadLetters: wire.port<DeadLetters>(life, 'log', new MemoryDeadLetters(log)),
      admin: wire.port<LogAdmin>(life, 'log', new MemoryLogAdmin(log)),
      control: wire.port<ControlLog>(life, 'control', control),
      embedder: wire.port<Embedder>(life, 'embedder', embedder),
      provider: wire.port<BatchProvider>(life, 'provider', laggingList(provider, this.#world), [
        'lineBytes',
        'checkSpool'
      ]),
      clock: life.clock,
      hit: name => {
        const doomed = this.#doomedAt
        if (doomed?.at !== name || life.isDead) return
        this.#doomedAt = undefined
        story.note(`killed at ${name}`)
        this.#die(`is killed at ${name}`, doomed.downMs)
      },
      warn: message => {
        if (!life.isDead) story.tell(this.name, message)
      }
    }
  }
}

/** A wake-up reaches only who is up. */
function watched(sent: Ledger, ledger: Ledger, life: Life): Ledger {
  return new Proxy(sent, {
    get: (target, key) => {
      if (key !== 'watch') return Reflect.get(target, key)
      return (onChange: () => void) => ledger.watch(() => life.after(1, onChange))
    }
  })
}
