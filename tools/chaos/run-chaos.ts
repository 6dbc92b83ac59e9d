// One run: a world, a storm over it, and the judgement afterwards. The seed decides what is done and when; how processes and
// messages interleave is the computer's.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaDocumentWriter } from '@pointsman/core/adapters/kafka/document-writer'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { openLog } from '@pointsman/core/runtime/log'
import { seededRandom } from '../../bench/support/seeded-random.ts'
import { comeToRest } from './come-to-rest.ts'
import { Expectation } from './expectation.ts'
import { Falling } from './falling.ts'
import { Incidents } from './incidents.ts'
import { type ChaosResult, judge } from './judge.ts'
import { LogEye } from './log-eye.ts'
import { mayMount } from './own-disk.ts'
import { type PlannedFault, planFaults } from './plan.ts'
import { ProducerRuns } from './producer-runs.ts'
import { resourceOf, sayFault, strike, type StrikeDeps } from './strike.ts'
import { Switches } from './switches.ts'
import { Timeline } from './timeline.ts'
import { traceInto } from './trace.ts'
import { Traffic } from './traffic.ts'
import { openWorld, requestInputs, requestsInFlight, type World } from './world.ts'

export interface ChaosOptions {
  readonly minutes: number
  readonly seed: number
  /** Kinds of faults that are left out. */
  readonly without: readonly string[]
  /** Every transition of the ledger goes to this file, and then to the specification. */
  readonly trace: string | undefined
  /** For data and logs; kept or removed by the caller. */
  readonly folder: string
  /** A line of the timeline. */
  readonly say: (line: string) => void
}

const readyMs = 90_000

export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<ChaosResult> {
  const { folder, minutes, say, seed } = options
  const timeline = new Timeline(say)
  const tell = (text: string): void => timeline.tell(text)
  const disks = await probeDisks(folder, tell)
  const isTraced = options.trace !== undefined
  await using world = await openWorld({ folder, seed, disks, trace: isTraced, log: tell }, signal)
  const { REDIS_URL } = world.stack.env
  const trace =
    options.trace === undefined ? undefined : await traceInto(options.trace, REDIS_URL, world.names.namespace)
  const stop = AbortSignal.any([signal, world.stack.broken])
  await until(world.areReady, readyMs, 'services are not ready', stop)
  await using log = await LogEye.open(world.kafka, world.names)
  const random = (what: string): (() => number) => seededRandom(`${seed} ${what}`)

  const expectation = new Expectation()
  const incidents = new Incidents(world.eye, requestInputs * requestsInFlight)
  const falling = new Falling(log, world.eye)
  const producer = new ProducerRuns(
    join(folder, 'producer'),
    world.envOf('producer'),
    expectation,
    random('producer')
  )
  const switches = new Switches(world.controllerUrls, () => world.eye.laneNow(), random('switches'), tell)
  const { codec, writer } = openWriter(world)
  await using _writer = writer
  await codec.prepare(stop)
  const traffic = new Traffic(writer, expectation, random('traffic'))

  const without = new Set([...options.without, ...(disks ? [] : ['disk-full'])])
  const plan = planFaults(minutes * 60_000, random('faults'), without)
  tell(`all is ready; ${plan.length} faults are planned for ${minutes} minutes`)
  timeline.begin()
  const storm = AbortSignal.any([stop, AbortSignal.timeout(minutes * 60_000)])
  const watching = new AbortController()
  const watched = falling.run(AbortSignal.any([stop, watching.signal]))
  // Told at the end.
  watched.catch(() => undefined)
  const counts = new Map<string, number>()
  const deps: StrikeDeps = { world, folder, incidents, killProducer: () => producer.kill() }
  await Promise.all([
    traffic.run(storm),
    producer.run(storm),
    switches.run(storm),
    carryOut(plan, deps, { counts, timeline, signal: stop })
  ])
  stop.throwIfAborted()

  tell(
    `the storm is over after ${traffic.records} records and ${switches.asked} calls to switch; everything is healed`
  )
  const { audited, convergedAfterMs, mended, verified } = await comeToRest(
    { world, log, expectation, producer, tell, weaviateKills: counts.get('weaviate-kill') ?? 0 },
    stop
  )
  watching.abort()
  await watched
  await falling.look()
  incidents.counted('lost-answers', (await world.provider.played('reset_after_billing')) * requestInputs)
  incidents.counted('failing-lines', audited.undeliveredLines)
  const ends = await log.ends()
  return judge({
    seed,
    minutes,
    records: [...ends.values()].reduce((sum, end) => sum + Number(end), 0),
    faults: Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b))),
    control: await log.control(stop),
    incidents: incidents.all,
    falls: falling.falls,
    uninvitedEnds: [...world.processes.values()].flatMap(({ uninvited }) =>
      uninvited.map(({ how, name }) => `${name} ${how}`)
    ),
    ledgerLives: falling.lives,
    convergedAfterMs,
    mended,
    verified,
    audit: audited,
    trace: await trace?.verdict()
  })
}

async function probeDisks(folder: string, tell: (text: string) => void): Promise<boolean> {
  const probe = join(folder, 'disk')
  await mkdir(probe, { recursive: true })
  const may = await mayMount(probe)
  if (!may) tell('nothing may be mounted on this computer: no disk will be filled')
  return may
}

function openWriter(world: World): {
  readonly codec: KafkaDocumentCodec
  readonly writer: KafkaDocumentWriter
} {
  const env = world.envOf('producer')
  const newClient = kafkaClients(
    { KAFKA_BROKERS: [env['KAFKA_BROKERS'] ?? ''], KAFKA_TLS: false },
    'producer',
    openLog('producer', 'silent')
  )
  const codec = new KafkaDocumentCodec(world.stack.env, world.names.documents)
  return { codec, writer: new KafkaDocumentWriter(newClient, world.names.documents, codec) }
}

interface Carrying {
  readonly counts: Map<string, number>
  readonly timeline: Timeline
  readonly signal: AbortSignal
}

/** Each at its time; those that would hinder each other one after the other. */
async function carryOut(
  plan: readonly PlannedFault[],
  deps: StrikeDeps,
  { counts, signal, timeline }: Carrying
): Promise<void> {
  const busy = new Map<string, Promise<void>>()
  const struck: Promise<void>[] = []
  for (const [index, { atMs, fault }] of plan.entries()) {
    await sleep(Math.max(0, atMs - timeline.elapsedMs), undefined, { signal })
    const resource = resourceOf(fault)
    const before = resource === undefined ? undefined : busy.get(resource)
    const carry = async (): Promise<void> => {
      await before
      timeline.tell(`+ ${sayFault(fault)}`)
      const was = await strike(fault, `fault-${index}`, deps)
      if (was) counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1)
      timeline.tell(`- ${sayFault(fault)}${was ? '' : ': there was nothing to strike'}`)
    }
    const carried = carry()
    // Told when all are through.
    carried.catch(() => undefined)
    if (resource !== undefined) busy.set(resource, carried)
    struck.push(carried)
  }
  await Promise.all(struck)
}

async function until(
  isSo: () => Promise<boolean>,
  limitMs: number,
  complaint: string,
  signal: AbortSignal
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`${complaint} after ${limitMs} ms`)
    await sleep(200, undefined, { signal })
  }
}
