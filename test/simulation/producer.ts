// The producer, as it runs in production, on a memory that outlives its crashes: lines come through its standard input.
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { MemoryDocumentWriter } from '@pointsman/core/adapters/memory/event-log-document-writer'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import type { DocumentWriter, LogAdmin } from '@pointsman/core/ports/event-log'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { EmittedStore, readEmittedStore } from '../../services/producer/src/emitted-store.ts'
import { DocumentExtractor } from '../../services/producer/src/extract/document-extractor.ts'
import { ingest } from '../../services/producer/src/ingest.ts'
import { defaultIngestOptions } from '../../services/producer/src/ingest-options.ts'
import { Life } from './host.ts'
import type { SourceLine } from './plan.ts'
import type { Random } from './random.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const extraction = { deadlineMs: 60_000, maxMemoryBytes: 512 * 1_048_576 }
const none = new AbortController().signal

export class Producer {
  readonly name = 'producer'
  readonly #world: World
  readonly #wire: Wire
  readonly #random: Random
  #store = readEmittedStore(undefined)
  #life: Life | undefined
  /** What is still to be ingested: the first is under way. */
  readonly #queue: (readonly SourceLine[])[] = []

  constructor(world: World, wire: Wire) {
    this.#world = world
    this.#wire = wire
    this.#random = world.random.stream()
  }

  get isIdle(): boolean {
    return this.#queue.length === 0
  }

  ingest(lines: readonly SourceLine[]): void {
    this.#queue.push(lines)
    if (this.#queue.length === 1) this.#run()
  }

  /** Whoever started it starts it again, with the same input. */
  crash(downMs: number): void {
    if (this.#life === undefined || this.#life.isDead) return
    this.#world.story.tell(this.name, 'is killed')
    this.#life.die()
    const { database } = this.#store
    this.#store.endReading()
    database.exec('DROP TABLE IF EXISTS temp.seen; DROP TABLE IF EXISTS temp.doubted')
    this.#store = new EmittedStore(database)
    this.#world.schedule.after(downMs, () => this.#run())
  }

  #run(): void {
    const [lines] = this.#queue
    if (lines === undefined) return
    const { log, schedule, story } = this.#world
    const life = new Life({ name: this.name, schedule, random: this.#random.stream(), skewMs: 0 })
    this.#life = life
    const admin = new MemoryLogAdmin(log)
    const writer = new MemoryDocumentWriter(log, new MemoryDocumentCodec(log))
    const input = async function* (): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(`${lines.map(line => JSON.stringify(line)).join('\n')}\n`)
    }
    const run = ingest(
      ['-'],
      {
        writer: this.#wire.port<DocumentWriter>(life, 'log', writer),
        log: this.#wire.port<LogAdmin>(life, 'log', admin),
        logId: 'simulated',
        store: this.#store,
        lock: () => ({ [Symbol.dispose]: () => undefined }),
        extractor: new DocumentExtractor(life.clock, extraction),
        clock: life.clock,
        standardInput: input(),
        tell: () => undefined
      },
      defaultIngestOptions,
      none
    )
    void run.then(
      ({ emitted, rejectedTotal }) => {
        story.tell(this.name, `${emitted} written, ${rejectedTotal} refused`)
        this.#queue.shift()
        this.#run()
      },
      (error: unknown) => {
        story.tell(this.name, `ended: ${messageOf(error)}`)
        schedule.after(500, () => this.#run())
      }
    )
  }
}
