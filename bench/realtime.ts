// Pointsman's realtime lane against the fastest loop without Kafka, ledger or any other books, and against LangChain.js:
// the same texts, the same provider, the same Weaviate, in turn within one run. Told in docs/benchmarks.md.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { namesOf } from '@pointsman/core/runtime/names'
import type { Bench, Figures } from './bench.ts'
import { CpuMeter } from './cpu-meter.ts'
import { dimensions, latencyMs, type LaneWorld, model, openLaneWorld } from './lane-world.ts'
import { describe, type Measurement } from './measurement.ts'
import type { LangchainTask } from './realtime-langchain.ts'
import { measurePointsman } from './realtime-pointsman.ts'
import { RssRecorder } from './realtime-rss-curve.ts'
import type { RealtimeTask } from './realtime-task.ts'
import { runMeasured } from './support/measured-worker.ts'
import { sparkline } from './support/sparkline.ts'
import { medianOf, rounded, type Spread, spreadOf } from './support/spread.ts'

interface Plan {
  /** Documents of one measurement of Pointsman or the raw loop. */
  readonly documents: number
  readonly backlog: number
  readonly rounds: number
  /** For the embedder's Node. */
  readonly nodeOptions: readonly string[]
}

type Contender = 'pointsman' | 'rawLoop' | 'langchain' | 'langchainTuned'

/** Rates are compared, and LangChain takes its time. */
const langchainDocuments = 600
const langchainTunedDocuments = 4_096

export const bench: Bench = async ({ args, say, signal }) => {
  const plan = parsePlan(args)
  const stored = await table(true, ['rawLoop', 'pointsman', 'langchain', 'langchainTuned'], plan, say, signal)
  const searchable = await table(false, ['rawLoop', 'pointsman', 'langchainTuned'], plan, say, signal)
  const { backlog } = stored
  return {
    documents: plan.documents,
    langchainDocuments: Math.min(langchainDocuments, plan.documents),
    langchainTunedDocuments: Math.min(langchainTunedDocuments, plan.documents),
    dimensions,
    latencyMs,
    rounds: plan.rounds,
    ...stored.figures,
    ...(backlog && {
      backlogDocuments: plan.backlog,
      backlogPerSecond: backlog.documentsPerSecond,
      rssMaxMb: backlog.rss.maxMb,
      rssCurveMb: backlog.rss.curveMb,
      rssEverySeconds: backlog.rss.everySeconds,
      rssFlatness: backlog.rss.flatness
    }),
    searchable: searchable.figures
  }
}

function parsePlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      documents: { type: 'string', default: '30000' },
      backlog: { type: 'string', default: '200000' },
      rounds: { type: 'string', default: '3' },
      profile: { type: 'string' }
    }
  })
  const [documents, backlog, rounds] = [values.documents, values.backlog, values.rounds].map(Number)
  if (!documents || !rounds || backlog === undefined || Number.isNaN(backlog)) {
    throw new Error('--documents, --backlog and --rounds take numbers')
  }
  const { profile } = values
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  return { documents, backlog, rounds, nodeOptions }
}

interface Table {
  readonly figures: Figures
  readonly backlog: Awaited<ReturnType<typeof drainBacklog>> | undefined
}

/** All rounds on servers of their own. The backlog is drained where stored counts. */
async function table(
  asyncIndexing: boolean,
  contenders: readonly Contender[],
  plan: Plan,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<Table> {
  say(asyncIndexing ? 'Stored (ASYNC_INDEXING=true):' : 'Searchable (ASYNC_INDEXING=false):')
  await using world = await openLaneWorld({ asyncIndexing }, say, signal)
  const found = new Map<Contender, Measurement[]>(contenders.map(contender => [contender, []]))
  const seed = asyncIndexing ? 'stored' : 'searchable'
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const contender of contenders) {
      const measurement = await measure(contender, world, `${seed}-${round}-${contender}`, plan, signal)
      found.get(contender)?.push(measurement)
      say(`  round ${round}: ${contender} ${describe(measurement)}`)
    }
  }
  const backlog = asyncIndexing && plan.backlog > 0 ? await drainBacklog(world, plan, say, signal) : undefined
  return { figures: figuresOf(found), backlog }
}

async function measure(
  contender: Contender,
  world: LaneWorld,
  name: string,
  plan: Plan,
  signal: AbortSignal
): Promise<Measurement> {
  switch (contender) {
    case 'pointsman':
      return await measurePointsman(world, { ...plan, namespace: name }, signal)
    case 'rawLoop':
      return await measureWorker(world, 'realtime-raw-loop.ts', taskOf(world, name, plan.documents), signal)
    case 'langchain':
    case 'langchainTuned': {
      const tuned = contender === 'langchainTuned'
      const documents = Math.min(tuned ? langchainTunedDocuments : langchainDocuments, plan.documents)
      const task: LangchainTask = { ...taskOf(world, name, documents), tuned }
      return await measureWorker(world, 'realtime-langchain.ts', task, signal)
    }
  }
}

function taskOf({ env, provider }: LaneWorld, seed: string, documents: number): RealtimeTask {
  const { WEAVIATE_GRPC_URL: weaviateGrpcUrl, WEAVIATE_URL: weaviateUrl } = env
  const { collection } = namesOf(seed)
  return { seed, documents, collection, weaviateUrl, weaviateGrpcUrl, openaiUrl: provider.url, model }
}

async function measureWorker(
  world: LaneWorld,
  worker: string,
  task: RealtimeTask,
  signal: AbortSignal
): Promise<Measurement> {
  const { collection, documents } = task
  await world.createCollection(collection, signal)
  const meter = new CpuMeter(world)
  const { ms } = await runMeasured(
    new URL(worker, import.meta.url),
    task,
    pid => meter.start(pid),
    () => meter.stop(),
    signal
  )
  await world.checkAndDrop(collection, documents, signal)
  return { documentsPerSecond: (documents * 1_000) / ms, cpuUs: meter.perDocument(documents) }
}

async function drainBacklog(
  world: LaneWorld,
  { backlog, nodeOptions }: Plan,
  say: (line: string) => void,
  signal: AbortSignal
) {
  const recorder = new RssRecorder()
  const ended = Promise.withResolvers<ReturnType<RssRecorder['stop']>>()
  const options = {
    namespace: 'stored-backlog',
    documents: backlog,
    nodeOptions,
    onStart: (pid: number) => recorder.start(pid),
    onEnd: () => ended.resolve(recorder.stop())
  }
  const measurement = await measurePointsman(world, options, signal)
  const rss = await ended.promise
  say(`  backlog of ${backlog}: ${describe(measurement)}`)
  say(`  embedder RSS ${sparkline(rss.curveMb)} max ${rss.maxMb} MB, flatness ${rss.flatness}`)
  return { documentsPerSecond: rounded(measurement.documentsPerSecond, 0), rss }
}

function figuresOf(found: ReadonlyMap<Contender, readonly Measurement[]>): Figures {
  const spreads = new Map<Contender, Spread>()
  const cpuUsPerDocument: Record<string, Record<string, number>> = {}
  for (const [contender, measurements] of found) {
    spreads.set(contender, spreadOf(measurements.map(({ documentsPerSecond }) => documentsPerSecond)))
    const names = Object.keys(measurements[0]?.cpuUs ?? {})
    const medians = names.map(name => [name, medianOf(measurements.map(({ cpuUs }) => cpuUs[name] ?? 0))])
    cpuUsPerDocument[contender] = Object.fromEntries(medians)
  }
  const ratioTo = (other: Contender): number | undefined => {
    const [ours, theirs] = [spreads.get('pointsman'), spreads.get(other)]
    return ours && theirs && rounded(ours.median / theirs.median, 2)
  }
  return {
    ...Object.fromEntries(spreads),
    ratioToRawLoop: ratioTo('rawLoop'),
    ratioToLangchain: ratioTo('langchain'),
    ratioToLangchainTuned: ratioTo('langchainTuned'),
    cpuUsPerDocument
  }
}
