// From a seed to a plan. Seeds differ in what they are about, so that some runs have no fault at all, some one kind of
// it, and some everything at once.
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import type { WriteFault } from '@pointsman/core/adapters/memory/vector-store'
import type { Lane } from '@pointsman/core/domain/lane'
import type { SwitchStrategy } from '@pointsman/core/ports/control-log'
import { batchFailpoints } from '../support/batch-failpoints.ts'
import type { Action, Plan, PlannedJob, Process, SourceLine, Target, Trouble } from './plan.ts'
import { Random } from './random.ts'

export interface Theme {
  readonly crashes: boolean
  readonly pauses: boolean
  readonly troubles: boolean
  readonly jobs: boolean
  readonly switches: boolean
  readonly losses: boolean
}

const realtimePoints = [
  'rt.fetch',
  'rt.claim',
  'rt.pay',
  'rt.response',
  'rt.upsert',
  'rt.mark',
  'rt.commit',
  'rt.dead-letter'
] as const
const batchPoints = ['ba.dead-letter', ...batchFailpoints] as const
const controllerPoints = ['ctl.intent', 'ctl.drain', 'ctl.fence', 'ctl.finish'] as const
const rebuildPoints = ['ctl.life', 'ctl.files', 'ctl.index', 'ctl.log', 'ctl.jobs', 'ctl.rebuilt'] as const
const lineFaults = [
  'failed',
  'rejected',
  'missing',
  'lost',
  'repeated',
  'empty',
  'wrong-length',
  'not-finite',
  'zero'
] as const
const writeFaults = ['refused', 'lost-answer', 'unknown-stored', 'unknown-absent'] as const
const targets = ['ledger', 'store', 'embedder', 'provider', 'log', 'control'] as const
const troubles = ['refuse', 'lose-request', 'lose-answer', 'late', 'twice', 'slow'] as const

export function drawPlan(seed: number, theme?: Partial<Theme>): Plan {
  const random = new Random(seed)
  const themes = { ...drawTheme(random), ...theme }
  const spanMs = random.int(4_000, 16_000)
  const processes = drawProcesses(random)
  const actions = [
    ...drawDocuments(random, spanMs),
    ...(themes.crashes ? some(random, 1, 6, () => drawCrash(random, spanMs, processes)) : []),
    ...(themes.pauses ? some(random, 1, 3, () => drawPause(random, spanMs, processes)) : []),
    ...(themes.troubles ? some(random, 1, 6, () => drawTrouble(random, spanMs)) : []),
    ...(themes.jobs ? some(random, 1, 5, () => drawJob(random, spanMs)) : []),
    ...(themes.switches ? some(random, 1, 8, () => drawSwitch(random, spanMs, processes)) : []),
    ...(themes.losses ? drawLosses(random, spanMs) : []),
    ...(random.chance(0.3) ? some(random, 1, 2, () => drawRestart(random, spanMs, processes)) : [])
  ]
  return {
    seed,
    partitions: random.int(1, 3),
    initialLane: random.pick(['realtime', 'batch']),
    turnaroundMs: random.int(500, 6_000),
    // A rebuild whose controller dies does not know any more what an unlisted job was about: see docs/guarantees.md.
    listLagMs: themes.losses || random.chance(0.5) ? 0 : random.int(50, 2_000),
    latencyMs: random.between(1, 6),
    processes,
    actions: actions.toSorted((a, b) => a.atMs - b.atMs)
  }
}

function drawTheme(random: Random): Theme {
  const isCalm = random.chance(0.2)
  const often = (share: number): boolean => !isCalm && random.chance(share)
  return {
    switches: random.chance(0.7),
    crashes: often(0.45),
    pauses: often(0.3),
    troubles: often(0.45),
    jobs: often(0.4),
    losses: often(0.2)
  }
}

function drawProcesses(random: Random): readonly Process[] {
  const skew = (): number => (random.chance(0.3) ? random.int(-3_600_000, 3_600_000) : 0)
  const named = (kind: Process['kind'], count: number): readonly Process[] =>
    Array.from({ length: count }, (_, index) => ({ name: `${kind}-${index + 1}`, kind, skewMs: skew() }))
  return [
    ...named('realtime', random.int(1, 2)),
    ...named('batch', random.int(1, 2)),
    ...named('controller', random.int(1, 2))
  ]
}

function some<Value>(random: Random, least: number, most: number, draw: () => Value): readonly Value[] {
  return Array.from({ length: random.int(least, most) }, draw)
}

/** Few documents and few texts, so that texts are shared, come back, and change while they are on their way. */
function drawDocuments(random: Random, spanMs: number): readonly Action[] {
  const documents = random.int(3, 14)
  const texts = random.int(3, 20)
  const times = random.int(3, 12)
  const actions: Action[] = []
  const at = (): number => (random.chance(0.3) ? random.between(0, 300) : random.between(0, spanMs))
  for (let time = 0; time < times; time += 1) {
    const drawn = some(random, 1, 8, () => drawLine(random, documents, texts))
    // An id that comes twice in one run is refused.
    const lines = drawn.filter(({ id }, index) => drawn.findIndex(line => line.id === id) === index)
    actions.push({ atMs: at(), do: 'ingest', lines })
  }
  if (random.chance(0.4)) {
    actions.push(
      ...some(random, 1, 4, (): Action => {
        const docId = `w${random.int(1, 4)}`
        const text = random.chance(0.2) ? undefined : textOf(random.int(1, texts))
        return { atMs: at(), do: 'write', docId, version: random.int(1, 6), text }
      })
    )
  }
  if (random.chance(0.15)) actions.push({ atMs: at(), do: 'garbage', partition: random.int(0, 2) })
  if (random.chance(0.15)) actions.push({ atMs: 0, do: 'poison', text: textOf(random.int(1, texts)) })
  if (random.chance(0.08)) actions.push({ atMs: at(), do: 'reject', docId: `d${random.int(1, documents)}` })
  return actions
}

function drawLine(random: Random, documents: number, texts: number): SourceLine {
  const id = `d${random.int(1, documents)}`
  if (random.chance(0.12)) return { id, deleted: true }
  const text = textOf(random.int(1, texts))
  return random.chance(0.3) ? { id, text, metadata: { note: random.int(1, 3) } } : { id, text }
}

function textOf(number: number): string {
  return `text ${number} ${'word '.repeat(number % 7)}end`
}

function drawCrash(random: Random, spanMs: number, processes: readonly Process[]): Action {
  const atMs = random.between(0, spanMs)
  const downMs = random.weighted([
    [3, random.int(50, 500)],
    [2, random.int(500, 5_000)]
  ])
  if (random.chance(0.12)) return { atMs, do: 'crash', who: 'producer', downMs }
  const { kind, name } = pickProcess(random, processes)
  if (random.chance(0.5)) return { atMs, do: 'crash', who: name, downMs }
  const points: Readonly<Record<Process['kind'], readonly [Failpoint, ...Failpoint[]]>> = {
    realtime: realtimePoints,
    batch: batchPoints,
    controller: controllerPoints
  }
  return { atMs, do: 'crash', who: name, downMs, at: random.pick(points[kind]) }
}

function drawPause(random: Random, spanMs: number, processes: readonly Process[]): Action {
  const forMs = random.weighted([
    [1, random.int(100, 2_000)],
    [2, random.int(2_000, 9_000)]
  ])
  return { atMs: random.between(0, spanMs), do: 'pause', who: pickProcess(random, processes).name, forMs }
}

function drawRestart(random: Random, spanMs: number, processes: readonly Process[]): Action {
  const who = pickProcess(random, processes).name
  return { atMs: random.between(0, spanMs), do: random.chance(0.5) ? 'restart' : 'rejoin', who }
}

function drawTrouble(random: Random, spanMs: number): Action {
  if (random.chance(0.15)) {
    const faults = some(random, 1, 4, () => random.pick<WriteFault>(writeFaults))
    return { atMs: random.between(0, spanMs), do: 'writes', faults }
  }
  const target = random.pick<Target>(targets)
  return {
    atMs: random.between(0, spanMs),
    do: 'trouble',
    target,
    trouble: random.pick<Trouble>(troubles),
    share: random.weighted([
      [3, random.between(0.05, 0.3)],
      [1, 1]
    ]),
    forMs: random.int(200, 4_000)
  }
}

function drawJob(random: Random, spanMs: number): Action {
  const line = random.chance(0.6)
    ? { each: random.int(1, 4), fault: random.pick<(typeof lineFaults)[number]>(lineFaults) }
    : undefined
  const job: PlannedJob = {
    ...(random.chance(0.3) ? { ending: 'expired' as const } : {}),
    ...(random.chance(0.5) ? { share: random.next() } : {}),
    ...(random.chance(0.3) ? { unrun: 'missing' as const } : {}),
    ...(random.chance(0.2) ? { strangers: 1 } : {}),
    ...(random.chance(0.2) ? { lateFiles: random.int(1, 3) } : {}),
    ...(random.chance(0.1) ? { word: 'reviewing' } : {}),
    ...(random.chance(0.15) ? { isRefused: true } : {}),
    ...(line === undefined ? {} : { line })
  }
  return { atMs: random.between(0, spanMs), do: 'job', job }
}

function drawSwitch(random: Random, spanMs: number, processes: readonly Process[]): Action {
  const atMs = random.between(0, spanMs)
  const by = random.chance(0.5)
    ? 'controller-1'
    : (processes.findLast(({ kind }) => kind === 'controller')?.name ?? 'controller-1')
  if (random.chance(0.1)) return { atMs, do: 'abort', by }
  if (random.chance(0.1)) return { atMs, do: 'rollback', by }
  if (random.chance(0.06)) return { atMs, do: 'stop-admission', forMs: random.int(200, 3_000) }
  const strategy = random.pick<SwitchStrategy>(['detach', 'drain', 'force'])
  return {
    atMs,
    do: 'switch',
    by,
    target: random.pick<Lane>(['realtime', 'batch']),
    strategy,
    share: strategy === 'force' || random.chance(0.7) ? 1 : random.pick([0.34, 0.5, 0.67]),
    deadlineMs: random.int(1_000, 12_000)
  }
}

function drawLosses(random: Random, spanMs: number): readonly Action[] {
  return some(random, 1, 2, () => random.between(500, spanMs)).flatMap((atMs): readonly Action[] => {
    const loss: Action = random.chance(0.6)
      ? { atMs, do: 'lose-ledger' }
      : { atMs, do: 'roll-back-ledger', byMs: random.int(100, 3_000) }
    if (random.chance(0.6)) return [loss]
    const at = random.pick(rebuildPoints)
    return [loss, { atMs, do: 'crash', who: 'controller-1', downMs: random.int(50, 1_500), at }]
  })
}

function pickProcess(random: Random, processes: readonly Process[]): Process {
  const [first, ...rest] = processes
  if (first === undefined) throw new RangeError('a plan needs a process')
  return random.pick([first, ...rest])
}
