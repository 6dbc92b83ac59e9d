// Sees everything that is carried out: tells it, and checks what must never be, after each step.
//   I4 IndexedTrue  what the ledger calls indexed stands in the index
import { docKey } from '@pointsman/core/runtime/identity'
import { BillWatch, documentIn, newestOf } from './bill-watch.ts'
import { LedgerWatch } from './ledger-watch.ts'
import { Narrator } from './narrate.ts'
import { Violation } from './violation.ts'
import type { Call } from './wire.ts'
import type { World } from './world.ts'

export class Overseer {
  readonly bill: BillWatch
  readonly ledger: LedgerWatch
  readonly narrator: Narrator
  readonly #world: World
  /** Deleted documents of which a new ledger is not told. */
  readonly forgotten = new Set<string>()
  #violation: Violation | undefined
  #letters = 0

  constructor(world: World) {
    this.#world = world
    this.bill = new BillWatch(world)
    this.narrator = new Narrator(world)
    this.ledger = new LedgerWatch(world, contents => this.bill.risk(contents))
  }

  /** The first that was found. */
  get violation(): Violation | undefined {
    return this.#violation
  }

  note(error: unknown): void {
    this.#violation ??= error instanceof Violation ? error : new Violation('Checker', String(error))
  }

  /** The ledger is lost, or made an older one. */
  ledgerLost(): void {
    this.bill.risk(this.ledger.requestedContents())
    const { log, names } = this.#world
    for (const { deleted, docId, offset, partition } of newestOf(this.#world).values()) {
      const committed = Object.values(names.groups).map(
        group => log.group(group).committed.get(partition) ?? 0n
      )
      if (deleted && committed.some(watermark => watermark > offset)) this.forgotten.add(docId)
    }
  }

  /** To be asked when a call is carried out. */
  witness(call: Call): (answer: unknown) => Promise<void> {
    try {
      this.#lookAtCancel(call)
      const after = call.target === 'ledger' ? this.ledger.before(call) : () => undefined
      return async answer => {
        try {
          this.narrator.tell(call, answer)
          if (call.method === 'find' && answer !== undefined)
            this.#world.story.note('a job was found by its name')
          if (call.method === 'attempt' && answer === 'gone')
            this.#world.story.note('a payment was refused: not the owner')
          after(answer)
          await this.#after(call)
        } catch (error) {
          this.note(error)
        }
      }
    } catch (error) {
      this.note(error)
      return async () => undefined
    }
  }

  async #after(call: Call): Promise<void> {
    const { args, isUnheard, method, target } = call
    switch (target) {
      case 'embedder':
        if (method !== 'embed' || !Array.isArray(args[0])) return
        this.bill.paid(args[0], call.life.name)
        if (isUnheard) this.bill.risk(args[0].map(text => this.bill.contentOf(String(text))))
        return
      case 'provider':
        if (method === 'create') this.bill.jobMade()
        return this.bill.lookAtJobs()
      case 'store':
        if (method !== 'write' && !method.startsWith('remove')) return
        this.bill.lookAtIndex()
        return method === 'write' ? undefined : this.checkIndexed()
      case 'log':
        if (this.#isRebuilding && (method === 'bounds' || method === 'scan')) this.bill.lookAtRebuild()
        if (method === 'commit') this.ledger.checkCommit()
        if (method === 'write') this.lookAtLetters()
        return
      case 'ledger':
        if (method === 'expect' || method === 'endRebuild') this.bill.lookAtRebuild()
        if (method === 'admit') this.bill.lookAtFrontiers(this.ledger.frontiers())
        return method === 'settle' || method === 'correct' ? this.checkIndexed() : undefined
      case 'control':
    }
  }

  /** A job goes on whether it is asked about or not: a cancel may come too late. */
  #lookAtCancel({ args, method, target }: Call): void {
    if (target !== 'provider' || method !== 'cancel') return
    const job = this.#world.provider.server.askAbout(String(args[0]))
    if (job !== undefined)
      this.#world.story.note(job.hasEnded ? 'a cancel came too late' : 'a job was cancelled')
  }

  get #isRebuilding(): boolean {
    return this.#world.ledgerServer.state?.rebuild !== undefined
  }

  lookAtLetters(): void {
    const { letters } = this.#world.log
    for (const { value } of letters.slice(this.#letters)) {
      this.#world.story.note('dead letter')
      const document = documentIn(value)
      if (document !== undefined) this.bill.gaveUp(document)
    }
    this.#letters = letters.length
  }

  /** I4: what L calls indexed stands in the index. */
  async checkIndexed(): Promise<void> {
    const { ledgerServer, store } = this.#world
    const { state } = ledgerServer
    if (state === undefined || !this.ledger.isSound) return
    const standing = new Set(
      [...store.objects.values()].map(
        ({ properties: { docId, generation, paymentKey: key } }) =>
          `${docKey(docId)} ${generation} ${key.slice(8)}`
      )
    )
    for (const [key, { content, generation, status }] of state.latest) {
      if (status !== 'indexed' || content === undefined) continue
      if (!standing.has(`${key} ${generation} ${content}`)) {
        const docId = [...newestOf(this.#world).keys()].find(id => docKey(id) === key) ?? key
        throw new Violation(
          'I4 IndexedTrue',
          `${docId} is called indexed, generation ${generation}, and is not there`
        )
      }
    }
  }
}
