// One series of switches under a live producer, and what it came to.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lane, otherLane } from '@pointsman/core/domain/lane'
import type { LedgerState } from '@pointsman/core/ports/ledger'
import type { Stack } from '../tools/stack/start-stack.ts'
import { medianOf, rounded } from './support/spread.ts'
import { type SwitchCheck, checkSwitches } from './switch-check.ts'
import { type ClockDifference, measureClocks } from './switch-clock.ts'
import { type Gap, SwitchSampler } from './switch-sampler.ts'
import type { ThrownSwitch } from './switch-thrown.ts'
import type { SwitchStep, SwitchVariant } from './switch-variants.ts'
import { dimensions, model, openSwitchWorld, type SwitchWorld } from './switch-world.ts'
import { throwSwitch } from './switch-throw.ts'

export interface SeriesOptions {
  readonly namespace: string
  readonly documentsPerSecond: number
  readonly nodeOptions: readonly string[]
}

export interface SeriesMeasurement {
  readonly thrown: readonly ThrownSwitch[]
  readonly gaps: readonly Gap[]
  readonly samples: number
  readonly longestSampleMs: number
  readonly mostUnread: number
  readonly producerLateMs: number
  readonly documentsPerSecond: number
  /** Of the machine's cores, by process, while lanes were switched. */
  readonly coresUsed: Readonly<Record<string, number>>
  readonly clocks: ClockDifference
  readonly settleMs: number
  readonly check: SwitchCheck
}

/** Before the first switch: everything is joined, compiled and under way. */
const leadInMs = 5_000
const warmUps = 4
const warmUpMs = 500
const settleMs = 180_000

export async function measureSeries(
  stack: Stack,
  variant: SwitchVariant,
  options: SeriesOptions,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<SeriesMeasurement> {
  await using world = await openSwitchWorld(stack, options, signal)
  const { producer } = world
  await using sampler = new SwitchSampler(world.watched, () => producer.documents.length)
  const stop = new AbortController()
  const producing = producer.run(AbortSignal.any([stop.signal, signal]))
  const clocks = await measureClocks(() => world.clockDifference())
  await sleep(leadInMs, undefined, { signal })

  const began = performance.now()
  const before = producer.documents.length
  for (let index = 0; index < warmUps; index += 1) {
    const target = otherLane(laneOf(sampler.state))
    await one(
      world,
      sampler,
      { target, strategy: 'detach', share: 1, isAborted: false },
      { turnMs: warmUpMs, competes: false }
    )
  }
  const firstMs = Date.now()
  const cpuBefore = world.cpuMs()
  const thrown: ThrownSwitch[] = []
  while (thrown.length < variant.switches) {
    signal.throwIfAborted()
    const step = variant.step(thrown.length, laneOf(sampler.state))
    thrown.push(await Promise.race([one(world, sampler, step, variant), failure(producing)]))
    if (thrown.length % 20 === 0) say(`  ${thrown.length} switches: ${describe(thrown.slice(-20))}`)
  }
  const documentsPerSecond = ((producer.documents.length - before) * 1_000) / (performance.now() - began)
  const lastMs = Date.now()
  const cpuAfter = world.cpuMs()
  stop.abort()
  await producing
  const ended = performance.now()
  await world.settled(settleMs, signal)
  const settledMs = performance.now() - ended
  say(`  settled ${rounded(settledMs / 1_000, 1)} s after the last document; checking`)
  const check = await checkSwitches(producer.documents, { ...world, model, dimensions }, signal)
  return {
    thrown,
    gaps: sampler.gaps.filter(({ fromMs, toMs }) => toMs >= firstMs && fromMs <= lastMs),
    samples: sampler.samples,
    longestSampleMs: sampler.longestRestMs,
    mostUnread: sampler.mostUnread,
    producerLateMs: rounded(producer.latestMs, 0),
    documentsPerSecond: rounded(documentsPerSecond, 1),
    coresUsed: coresUsed(cpuBefore, cpuAfter, lastMs - firstMs),
    clocks,
    settleMs: rounded(settledMs, 0),
    check
  }
}

/** A switch, and the rest of its turn. */
async function one(
  world: SwitchWorld,
  sampler: SwitchSampler,
  step: SwitchStep,
  { competes, turnMs }: Pick<SwitchVariant, 'competes' | 'turnMs'>
): Promise<ThrownSwitch> {
  const turn = sleep(turnMs * (1 + Math.random()))
  const thrown = await throwSwitch(world, sampler, step, { competes, switchId: randomUUID() })
  await turn
  return thrown
}

function coresUsed(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  ms: number
): Readonly<Record<string, number>> {
  const share = ([name, cpuMs]: readonly [string, number]): [string, number] => [
    name,
    rounded((cpuMs - (before[name] ?? 0)) / ms, 2)
  ]
  return Object.fromEntries(Object.entries(after).map(share))
}

/** Never resolves otherwise. */
async function failure(work: Promise<void>): Promise<never> {
  await work
  throw new Error('the producer ended early')
}

/** Of most partitions; of equally many, that of new ones. */
function laneOf({ defaultLane, partitions }: LedgerState): Lane {
  const inBatch = [...partitions.values()].filter(({ lane }) => lane === 'batch').length
  if (inBatch * 2 === partitions.size) return defaultLane
  return inBatch * 2 > partitions.size ? 'batch' : 'realtime'
}

function describe(thrown: readonly ThrownSwitch[]): string {
  const completed = thrown.filter(({ outcome }) => outcome === 'completed')
  const median = (of: (each: ThrownSwitch) => number): number => rounded(medianOf(completed.map(of)), 0)
  const cut = `cut ${median(({ cutMs }) => cutMs)} ms`
  const admitted = `first ${median(({ firstMs }) => firstMs)}, last ${median(({ lastMs }) => lastMs)} ms`
  const others = thrown.length - completed.length
  const jobs = `${median(each => each.jobs)} jobs, ${median(each => each.unread)} unread`
  return `${cut}, ${admitted}, ${jobs}${others > 0 ? `, ${others} not completed` : ''}`
}
