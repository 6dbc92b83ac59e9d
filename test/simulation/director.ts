// Makes the actions of a plan happen.
import type { JobPlan } from '@pointsman/core/adapters/memory/batch-provider-job'
import { MemoryDocumentCodec } from '@pointsman/core/adapters/memory/event-log-document-codec'
import { Failure } from '@pointsman/core/domain/failure'
import { textHash } from '@pointsman/core/runtime/identity'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { SwitchRefused } from '../../services/controller/src/switching/switch-refused.ts'
import { switchWish } from '../../services/controller/src/switching/switch-report.ts'
import type { Switcher } from '../../services/controller/src/switching/switcher.ts'
import { Machine } from './machine.ts'
import type { Overseer } from './overseer.ts'
import type { Action, PlannedJob } from './plan.ts'
import { Producer } from './producer.ts'
import { serviceOf } from './services.ts'
import { Violation } from './violation.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

export class Director {
  readonly producer: Producer
  readonly #world: World
  readonly #overseer: Overseer
  readonly #machines = new Map<string, Machine>()
  readonly #switchers = new Map<string, { readonly switcher: Switcher; readonly signal: AbortSignal }>()

  constructor(world: World, wire: Wire, overseer: Overseer) {
    this.#world = world
    this.#overseer = overseer
    this.producer = new Producer(world, wire)
    for (const process of world.plan.processes) {
      const service = serviceOf(process, world, wire, (switcher, signal) =>
        this.#switchers.set(process.name, { switcher, signal })
      )
      this.#machines.set(process.name, new Machine(process, world, wire, service))
    }
  }

  get machines(): Iterable<Machine> {
    return this.#machines.values()
  }

  /** Starts all machines, and lets every action happen at its time. */
  begin(): void {
    const { plan, random, schedule } = this.#world
    for (const machine of this.#machines.values()) {
      schedule.after(random.between(0, 200), () => machine.start())
    }
    for (const action of plan.actions) schedule.after(action.atMs, () => this.#act(action))
  }

  #act(action: Action): void {
    const { log, provider, embedder, schedule, store, story, weather } = this.#world
    switch (action.do) {
      case 'ingest':
        story.tell(
          'person',
          `ingests ${action.lines.map(({ deleted, id, text }) => `${id}=${deleted ? 'deleted' : text}`).join(', ')}`
        )
        return this.producer.ingest(action.lines)
      case 'write': {
        this.#overseer.narrator.produced(action.docId)
        story.tell('person', `writes ${action.docId} version ${action.version}: ${action.text ?? 'deleted'}`)
        return this.#write(action.docId, action.version, action.text)
      }
      case 'garbage':
        log.append(action.partition % log.partitions, 'x', new TextEncoder().encode('{'))
        return
      case 'crash':
        story.note('crash')
        if (action.who === 'producer') return this.producer.crash(action.downMs)
        return this.#machines.get(action.who)?.crash(action.downMs, action.at)
      case 'pause':
        story.note('pause')
        return this.#machines.get(action.who)?.pause(action.forMs)
      case 'restart':
        return this.#machines.get(action.who)?.restart()
      case 'rejoin':
        return this.#machines.get(action.who)?.rejoin()
      case 'trouble': {
        const { forMs, share, target, trouble } = action
        story.tell('fault', `${target}: ${trouble}, ${share.toFixed(2)} of the calls, for ${forMs} ms`)
        story.note(`trouble: ${trouble}`)
        return weather.begin(target, { trouble, share, untilMs: schedule.nowMs + forMs })
      }
      case 'job':
        return provider.server.plan(jobPlanOf(action.job))
      case 'poison':
        provider.server.poison(action.text)
        return embedder.poison(action.text)
      case 'writes':
        story.tell('fault', `the next writes to the index: ${action.faults.join(', ')}`)
        return store.fail(...action.faults)
      case 'reject':
        return store.reject(action.docId)
      case 'switch':
      case 'abort':
      case 'rollback':
        void this.#command(action)
        return
      case 'stop-admission':
        void this.#stopAdmission(action.forMs)
        return
      case 'lose-ledger':
        this.#overseer.ledgerLost()
        story.tell('fault', 'the ledger is lost')
        story.note('ledger lost')
        return this.#world.loseLedger()
      case 'roll-back-ledger': {
        this.#overseer.ledgerLost()
        if (!this.#world.rollBackLedger(action.byMs)) return
        this.#overseer.bill.risk(this.#overseer.ledger.requestedContents())
        story.tell('fault', `the ledger is what it was ${action.byMs} ms ago`)
        story.note('ledger rolled back')
        return this.#overseer.ledger.rolledBack()
      }
    }
  }

  #write(docId: string, version: number, text: string | undefined): void {
    const { log } = this.#world
    const document = {
      docId,
      sourceId: docId,
      version,
      chunk: 0,
      chunks: 1,
      title: docId,
      text: text ?? '',
      textHash: textHash(text ?? ''),
      tokens: text?.split(' ').length ?? 0,
      metadata: '{}',
      deleted: text === undefined
    }
    void new MemoryDocumentCodec(log)
      .encode(document)
      .then(value => log.append(log.partitionOf(docId), docId, value))
  }

  async #command(action: Extract<Action, { do: 'switch' | 'abort' | 'rollback' }>): Promise<void> {
    const { story } = this.#world
    const machine = this.#machines.get(action.by)
    const known = this.#switchers.get(action.by)
    if (known === undefined || machine?.life === undefined || machine.life.isDead || machine.life.isPaused)
      return
    const { signal, switcher } = known
    const by = { actor: 'operator', reason: 'chance' }
    try {
      if (action.do === 'switch') {
        const { deadlineMs, share, strategy, target } = action
        const wish = switchWish.parse({ target, strategy, share, deadlineMs, evenIfUnready: true, ...by })
        story.tell('operator', `asks ${action.by} for ${target}, ${strategy}, share ${share}`)
        const { state } = await switcher.request(wish, signal)
        story.note(`switch ${strategy}: ${state}`)
      } else if (action.do === 'abort') {
        story.note(`abort: ${(await switcher.abort(by, signal)).state}`)
      } else {
        story.note(`rollback: ${(await switcher.rollback({ ...by, evenIfUnready: true }, signal)).state}`)
      }
    } catch (error) {
      if (error instanceof SwitchRefused) story.note(`refused: ${error.code}`)
      else if (!(error instanceof Failure) && !signal.aborted) {
        this.#overseer.note(new Violation('Crash', `${action.do}: ${messageOf(error)}`))
      }
    }
  }

  async #stopAdmission(forMs: number): Promise<void> {
    const { ledger, schedule, story } = this.#world
    try {
      const { epoch } = await ledger.state()
      await ledger.pause(epoch, 'chance', 'operator')
      story.note('admission stopped')
    } catch {
      return
    }
    const goOn = (): void => {
      void (async () => {
        try {
          const { epoch } = await ledger.state()
          if (!(await ledger.resume(epoch))) schedule.after(100, goOn)
        } catch {
          schedule.after(500, goOn)
        }
      })()
    }
    schedule.after(forMs, goOn)
  }
}

function jobPlanOf({ isRefused, line, ...given }: PlannedJob): JobPlan {
  return {
    ...given,
    ...(isRefused === true
      ? { errors: [{ code: 'server_error', message: 'it could not be validated', content: undefined }] }
      : {}),
    ...(line === undefined
      ? {}
      : { line: (_: unknown, index: number) => (index % line.each === 0 ? line.fault : undefined) })
  }
}
