// Both lanes and their controllers as real processes, with an oracle that is not the system: it knows what was emitted, and
// reads the index and the provider's bill itself. What was switched, ledger and control log tell.
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaControlLog } from '@pointsman/core/adapters/kafka/control-log'
import type { Lane } from '@pointsman/core/domain/lane'
import type { ControlLog, SwitchOutcome } from '@pointsman/core/ports/control-log'
import type { LedgerState, ManifestState, Obligation } from '@pointsman/core/ports/ledger'
import { parseEnv } from '@pointsman/core/runtime/env'
import { openLog } from '@pointsman/core/runtime/log'
import { namesOf } from '@pointsman/core/runtime/names'
import { kafkaSettings } from '@pointsman/core/runtime/settings'
import { expect, vi } from 'vitest'
import { z } from 'zod'
import type { StackEnv } from '../../tools/stack/stack-env.ts'
import { auditJobs } from './job-audit.ts'
import { type EmbedderProcess, RealLane } from './real-lane.ts'
import { SwitchingController } from './switching-controller.ts'
import { Trickle } from './switching-traffic.ts'

const never = new AbortController().signal
const patiently = { timeout: 60_000, interval: 20 }
const lanes: readonly Lane[] = ['realtime', 'batch']

export interface SceneOptions {
  /** In which all begins; realtime unless told. */
  readonly lane?: Lane
  /** Of requests; 50 unless told. */
  readonly latencyMs?: number
  /** Of each lane; 1 unless told. */
  readonly instances?: number
  /** Of every controller and embedder. */
  readonly env?: Readonly<Record<string, string>>
}

export class SwitchingScene implements AsyncDisposable {
  readonly lane: RealLane
  /** What runs first of each lane, by number. */
  readonly embedders: Readonly<Record<Lane, EmbedderProcess[]>> = { realtime: [], batch: [] }
  readonly #env: Readonly<Record<string, string>>
  readonly #log: ControlLog
  readonly #controllers: SwitchingController[] = []
  readonly #resources: AsyncDisposableStack

  private constructor(
    lane: RealLane,
    log: ControlLog,
    env: Readonly<Record<string, string>>,
    resources: AsyncDisposableStack
  ) {
    this.lane = lane
    this.#log = log
    this.#env = env
    this.#resources = resources
  }

  /** Both lanes are started, and perhaps not ready yet: see `warm`. */
  static async open(servers: StackEnv, options: SceneOptions = {}): Promise<SwitchingScene> {
    await using resources = new AsyncDisposableStack()
    const { env = {}, instances = 1, lane: first = 'realtime', latencyMs = 50 } = options
    const lane = resources.use(await RealLane.open(servers, latencyMs, first))
    const settings = parseEnv(z.object(kafkaSettings), lane.env)
    const clients = kafkaClients(settings, 'test', openLog('test', 'silent'))
    const log = resources.use(new KafkaControlLog(clients, namesOf(lane.env['POINTSMAN_NAMESPACE'] ?? '')))
    const scene = new SwitchingScene(lane, log, env, resources.move())
    for (const each of lanes) for (let n = 1; n <= instances; n += 1) scene.startEmbedder(each, n)
    return scene
  }

  /** @param n - its number: one of the same number takes the name of the former. */
  startEmbedder(lane: Lane, n = 1): EmbedderProcess {
    const embedder = this.lane.startEmbedder(`embedder-${lane}-${n}`, this.#env, lane)
    this.embedders[lane][n - 1] = embedder
    return embedder
  }

  /** Resolves when it is ready. */
  async startController(env: Readonly<Record<string, string>> = {}): Promise<SwitchingController> {
    const controller = await SwitchingController.start({ ...this.lane.env, ...this.#env, ...env })
    this.#controllers.push(controller)
    return this.#resources.use(controller)
  }

  trickle(): Trickle {
    return this.#resources.use(new Trickle(this.lane))
  }

  /** What all processes said, to be shown when something is waited for in vain. */
  get said(): string {
    return [this.lane.said, ...this.#controllers.map(({ process }) => process.said())].join('\n')
  }

  /** Waits until each lane has a living instance without trouble, and all partitions in its group. */
  async warm(only: readonly Lane[] = lanes): Promise<void> {
    const { groups } = namesOf(this.lane.env['POINTSMAN_NAMESPACE'] ?? '')
    for (const lane of only) {
      await this.eventually(async () => {
        const { instances, nowMs, state } = await this.lane.ledger.survey()
        const ready = instances.filter(
          ({ leaseUntilMs, service, trouble }) =>
            service === `embedder-${lane}` && trouble === '' && leaseUntilMs > nowMs
        )
        const { members, state: phase } = await this.lane.admin.group(groups[lane])
        const assigned = members.flatMap(({ partitions }) => partitions)
        expect([phase, assigned.length, ready.length > 0]).toEqual(['Stable', state.partitions.size, true])
        expect(state.partitions.size).toBeGreaterThan(0)
      })
    }
  }

  /** Waits for what is expected; failing that, all processes are quoted. */
  async eventually(expectation: () => Promise<void> | void, timeoutMs = patiently.timeout): Promise<void> {
    await this.#explained(vi.waitFor(expectation, { ...patiently, timeout: timeoutMs }))
  }

  /** What fails is told with all that the processes said and the ledger has left. */
  async #explained(waiting: Promise<void>): Promise<void> {
    try {
      await waiting
    } catch (error) {
      const { instances, obligations, progress, state } = await this.lane.ledger.survey()
      const left = obligations.map(({ id, job, kind, owner, parts, reason, state: step }) =>
        [id, kind, step, owner, reason, job?.status, ...[...parts].flat()].join(' ')
      )
      const drain = state.draining && `draining for epoch ${state.draining.epoch}`
      const at = [...progress].map(([partition, { frontier, lane, watermark }]) =>
        [partition, lane, watermark, frontier].join(' ')
      )
      const alive = instances.map(({ instance, owner, trouble }) => `${instance} ${owner} ${trouble}`)
      throw new Error([String(error), this.said, drain, ...at, ...alive, ...left].join('\n'), {
        cause: error
      })
    }
  }

  state(): Promise<LedgerState> {
    return this.lane.ledger.state()
  }

  /** Partitions of a lane, as the ledger has them now. */
  async partitionsIn(lane: Lane): Promise<readonly number[]> {
    const { partitions } = await this.state()
    return [...partitions]
      .flatMap(([partition, state]) => (state.lane === lane ? partition : []))
      .toSorted((a, b) => a - b)
  }

  /** A of every partition. */
  async frontiers(): Promise<Readonly<Record<string, number>>> {
    const { partitions } = await this.state()
    return Object.fromEntries(
      [...partitions].map(([partition, { frontier }]) => [partition, Number(frontier)])
    )
  }

  /** Waits until something is admitted that was not yet when this was called. */
  async admitsMore(): Promise<void> {
    const before = total(await this.frontiers())
    await this.eventually(async () => expect(total(await this.frontiers())).toBeGreaterThan(before))
  }

  async admitted(documents: number): Promise<void> {
    await this.eventually(async () => expect(total(await this.frontiers())).toBeGreaterThanOrEqual(documents))
  }

  /** Manifests of that state, or all. */
  async manifests(state?: ManifestState): Promise<readonly Obligation[]> {
    const { obligations } = await this.lane.ledger.survey()
    return obligations.filter(one => one.kind === 'manifest' && (state === undefined || one.state === state))
  }

  async sent(jobs: number): Promise<void> {
    await this.eventually(async () =>
      expect((await this.manifests('submitted')).length).toBeGreaterThanOrEqual(jobs)
    )
  }

  /** Jobs that are made from now on run until `letJobsEnd`. */
  async holdJobs(): Promise<void> {
    await this.lane.provider.put('/turnaround', { kind: 'fixed', seconds: 7_200 })
  }

  async letJobsEnd(): Promise<void> {
    await this.lane.provider.put('/turnaround', { kind: 'none' })
    await this.lane.provider.put('/clock', { advanceSeconds: 8_000 })
  }

  /** Epochs of the intents with that id, in the order in which they were recorded. */
  async intents(switchId?: string): Promise<readonly number[]> {
    const records = await this.#log.read(0n, never)
    return records.flatMap(({ offset, record }) =>
      record?.kind === 'intent' && (switchId === undefined || record.switchId === switchId)
        ? Number(offset) + 1
        : []
    )
  }

  /** The first outcome that was recorded of a switch. */
  async outcome(switchId: string): Promise<SwitchOutcome | undefined> {
    const records = await this.#log.read(0n, never)
    return records
      .flatMap(({ record }) => (record?.kind === 'outcome' ? record : []))
      .find(outcome => outcome.switchId === switchId)
  }

  /**
   * Waits until all is settled and every job archived. Then nothing is lost, doubled, stale or wrong, at most `k` texts were
   * paid for again, every offset was admitted once, no job was repeated, and no switch is left half-done.
   */
  async expectAllIsWell(k = 0): Promise<void> {
    await this.#explained(this.lane.settled())
    await this.#explained(this.lane.finished())
    const { repeatedPayments, ...found } = await this.lane.audit()
    expect(found, this.said).toEqual({ lost: [], duplicates: [], stale: [] })
    expect(repeatedPayments, this.said).toBeLessThanOrEqual(k)
    expect(await this.lane.wrong()).toEqual([])
    const { jobs: _, ...jobs } = await auditJobs(this.lane.provider.client())
    expect(jobs, this.said).toEqual({ repeatedJobs: [], strangers: [] })

    const { counts, state } = await this.lane.ledger.survey()
    const bounds = await this.lane.admin.bounds()
    const records = [...bounds.values()].reduce((sum, { end, start }) => sum + Number(end - start), 0)
    expect(counts.admitted, 'documents that the ledger counts as admitted').toBe(records)
    expect(state.draining).toBeUndefined()
    const log = await this.#log.read(0n, never)
    const ended = new Set(log.flatMap(({ record }) => (record?.kind === 'outcome' ? record.switchId : [])))
    const begun = log.flatMap(({ record }) => (record?.kind === 'intent' ? record.switchId : []))
    expect(begun.filter(switchId => !ended.has(switchId))).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

function total(frontiers: Readonly<Record<string, number>>): number {
  return Object.values(frontiers).reduce((sum, frontier) => sum + frontier, 0)
}
