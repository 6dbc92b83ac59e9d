// `npm run simulate -- --seeds N [--seed S]`: simulates the whole product N times, from seed S on. A seed that fails is
// made as small as it can be, and its story is told.
import { parseArgs } from 'node:util'
import { drawPlan } from '../../test/simulation/draw-plan.ts'
import { minimise } from '../../test/simulation/minimise.ts'
import { runPlan } from '../../test/simulation/run-plan.ts'
import { runSeed } from '../../test/simulation/run-seed.ts'
import { missingEvents } from '../../test/simulation/sometimes.ts'
import { runSeeds } from './run-seeds.ts'
import { SeedTally } from './seed-tally.ts'

const usage = `npm run simulate -- [--seeds N] [--seed S] [--json] [--story] [--threads T]

  --seeds N    how many seeds (200)
  --seed S     the first one (1)
  --story      tells the story of seed S, instead
  --json       the result as one line of JSON
  --threads T  at once (2)`

/** From so many seeds on, everything that is interesting must have happened. */
const seedsForAll = 2_000
const minimisingRuns = 400
const progressEvery = 100

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    story: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const [count, first, threads] = [values.seeds, values.seed, values.threads].map(Number)
if (values.help || !isWhole(count) || !isWhole(first) || !isWhole(threads)) {
  console.error(usage)
  process.exit(values.help ? 0 : 2)
}
process.exit(values.story ? await tellStory(first) : await simulate(first, count, threads))

async function tellStory(seed: number): Promise<number> {
  const outcome = await runSeed(seed)
  console.log(outcome.story.join('\n'))
  console.error(
    outcome.ok ? `seed ${seed} holds` : `seed ${seed} breaks ${outcome.invariant}: ${outcome.message}`
  )
  return outcome.ok ? 0 : 1
}

async function simulate(from: number, seeds: number, atOnce: number): Promise<number> {
  const tally = new SeedTally()
  await runSeeds({
    first: from,
    count: seeds,
    threads: atOnce,
    onResult: (result, done) => {
      tally.note(result)
      if (!result.ok) console.error(`seed ${result.seed} breaks ${result.invariant}: ${result.message}`)
      if (done % progressEvery === 0 && !values.json) console.error(`${done} of ${seeds} seeds`)
    }
  })
  const never = seeds < seedsForAll ? [] : missingEvents(tally.happened, seeds)
  const report = { ...tally.report(from), never }
  if (values.json) console.log(JSON.stringify(report))
  else {
    for (const [what, times] of Object.entries(report.happened))
      console.log(`${String(times).padStart(9)}  ${what}`)
    const { failed, happened: _, ...figures } = report
    console.log(JSON.stringify(figures))
    console.log(failed.length === 0 ? 'all seeds hold' : `${failed.length} seeds fail`)
  }
  const [worst] = report.failed.toSorted((a, b) => a.seed - b.seed)
  if (worst !== undefined) await explain(worst.seed, worst.invariant)
  if (never.length > 0) console.error(`never happened: ${never.join(', ')}`)
  return report.failed.length === 0 && never.length === 0 ? 0 : 1
}

async function explain(seed: number, invariant: string): Promise<void> {
  console.error(`making seed ${seed} smaller`)
  const { plan, runs } = await minimise(drawPlan(seed), invariant, minimisingRuns)
  const outcome = await runPlan(plan)
  console.error(outcome.story.join('\n'))
  console.error(`after ${runs} runs, ${plan.actions.length} actions are left of seed ${seed}:`)
  console.error(JSON.stringify(plan))
}

function isWhole(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0
}
