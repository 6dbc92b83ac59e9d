// Switching live: many switches in both directions under a producer that never rests, with jobs in flight, and then the
// question what was lost, doubled, stale or paid twice. Told in docs/benchmarks.md.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack } from '../tools/stack/start-stack.ts'
import type { Bench, Figures } from './bench.ts'
import { seriesFigures, shortfallsOf, wrongsOf } from './switch-figures.ts'
import { measureSeries } from './switch-series.ts'
import { strategies, type SwitchVariant, variantsOf } from './switch-variants.ts'
import { dimensions, latencyMs, partitions } from './switch-world.ts'

interface Plan {
  /** The first is the main one. */
  readonly variants: readonly SwitchVariant[]
  readonly documentsPerSecond: number
  readonly nodeOptions: readonly string[]
}

export const bench: Bench = async ({ args, fail, say, signal }) => {
  const { variants, ...options } = parsePlan(args)
  await using stack = await startStack({ asyncIndexing: true, weaviateMemoryLimit: '4GiB', log: say, signal })
  const series: Record<string, Figures> = {}
  for (const variant of variants) {
    const { name } = variant
    say(`${name}: ${variant.switches} switches`)
    const measured = await measureSeries(
      stack,
      variant,
      { ...options, namespace: `switch-${name}` },
      say,
      signal
    )
    series[name] = seriesFigures(measured)
    say(`${name}: ${JSON.stringify(series[name])}`)
    for (const wrong of wrongsOf(measured)) fail(`${name}: ${wrong}`)
    if (name === 'detach') for (const target of shortfallsOf(measured)) say(target)
  }
  const [main] = Object.values(series)
  return {
    ...main,
    series,
    documentsPerSecondWanted: options.documentsPerSecond,
    partitions,
    dimensions,
    latencyMs
  }
}

function parsePlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      switches: { type: 'string', default: '200' },
      others: { type: 'string', default: '20' },
      rate: { type: 'string', default: '300' },
      strategy: { type: 'string' },
      share: { type: 'boolean', default: false },
      abort: { type: 'boolean', default: false },
      compete: { type: 'boolean', default: false },
      profile: { type: 'string' }
    }
  })
  const [switches, others, documentsPerSecond] = [values.switches, values.others, values.rate].map(Number)
  if (!switches || !others || !documentsPerSecond)
    throw new Error('--switches, --others and --rate take numbers')
  const { profile, strategy } = values
  if (strategy !== undefined && !strategies.some(name => name === strategy))
    throw new Error(`--strategy takes ${strategies.join(', ')}`)
  const flags = (['share', 'abort', 'compete'] as const).filter(name => values[name])
  const wanted = new Set<string>([...(strategy === undefined ? [] : [strategy]), ...flags])
  const variants = variantsOf(switches, wanted.size === 0 ? others : switches)
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  return {
    variants: wanted.size === 0 ? variants : variants.filter(({ name }) => wanted.has(name)),
    documentsPerSecond,
    nodeOptions
  }
}
