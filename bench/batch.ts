// The batch lane against the realtime lane: the same number of documents, the same servers, in turn within one run. The
// clock of the jobs is held, so that admission, the provider's work and the harvest are apart. Told in docs/benchmarks.md.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BatchMeasurement, measureBatch } from './batch-pointsman.ts'
import type { Bench, Figures } from './bench.ts'
import { dimensions, latencyMs, openLaneWorld } from './lane-world.ts'
import { describe, type Measurement } from './measurement.ts'
import { measurePointsman } from './realtime-pointsman.ts'
import { turnaroundSeconds } from './batch-task.ts'
import { medianOf, rounded } from './support/spread.ts'

interface Plan {
  readonly documents: number
  readonly rounds: number
  /** For the embedders' Node. */
  readonly nodeOptions: readonly string[]
}

export const bench: Bench = async ({ args, say, signal }) => {
  const { documents, nodeOptions, rounds } = parsePlan(args)
  const providerArgs = ['--clock-factor', '0', '--turnaround', String(turnaroundSeconds)]
  await using world = await openLaneWorld({ asyncIndexing: true, providerArgs }, say, signal)
  const batch: BatchMeasurement[] = []
  const realtime: Measurement[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const contenders = {
      realtime: async (): Promise<void> => {
        const options = { namespace: `realtime-${round}`, documents, nodeOptions }
        const measurement = await measurePointsman(world, options, signal)
        say(`round ${round}, realtime: ${describe(measurement)}`)
        realtime.push(measurement)
      },
      batch: async (): Promise<void> => {
        say(`round ${round}, batch:`)
        const options = { namespace: `batch-${round}`, documents, nodeOptions }
        batch.push(await measureBatch(world, options, say, signal))
      }
    }
    // The other goes first each time: whatever slows the machine as time goes by slows both.
    const order = round % 2 === 1 ? (['realtime', 'batch'] as const) : (['batch', 'realtime'] as const)
    for (const name of order) await contenders[name]()
  }
  return figuresOf(batch, realtime, { documents, rounds })
}

function parsePlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      documents: { type: 'string', default: '200000' },
      rounds: { type: 'string', default: '2' },
      profile: { type: 'string' }
    }
  })
  const [documents, rounds] = [values.documents, values.rounds].map(Number)
  if (!documents || !rounds) throw new Error('--documents and --rounds take numbers')
  const { profile } = values
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  return { documents, rounds, nodeOptions }
}

function figuresOf(
  batch: readonly BatchMeasurement[],
  realtime: readonly Measurement[],
  plan: Figures
): Figures {
  const median = (of: (measurement: BatchMeasurement) => number, digits = 0): number =>
    rounded(medianOf(batch.map(of)), digits)
  const harvestPerSecond = median(({ harvest }) => harvest.documentsPerSecond)
  const realtimePerSecond = rounded(medianOf(realtime.map(({ documentsPerSecond }) => documentsPerSecond)), 0)
  const last = batch.at(-1)
  return {
    ...plan,
    dimensions,
    latencyMs,
    jobs: median(({ jobs }) => jobs),
    admitPerSecond: median(({ admit }) => admit.documentsPerSecond),
    harvestPerSecond,
    realtimePerSecond,
    harvestToRealtime: rounded(harvestPerSecond / realtimePerSecond, 2),
    rssMaxMb: rounded(Math.max(...batch.map(({ rss }) => rss.maxMb)), 0),
    rssFlatness: Math.max(...batch.map(({ rss }) => rss.flatness)),
    rssAdmitMb: last?.rss.admitMb,
    rssHarvestMb: last?.rss.harvestMb,
    ledgerBytesPerOutstanding: median(measurement => measurement.ledgerBytesPerOutstanding, 1),
    paidTokens: batch.reduce((sum, { paidTokens }) => sum + paidTokens, 0),
    necessaryTokens: batch.reduce((sum, { necessaryTokens }) => sum + necessaryTokens, 0),
    cpuUsPerDocument: {
      admit: last?.admit.cpuUs,
      harvest: last?.harvest.cpuUs,
      realtime: realtime.at(-1)?.cpuUs
    }
  }
}
