// The whole product in virtual time: see test/simulation. `npm run simulate` runs as many seeds as there is time for.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Plan } from '../simulation/plan.ts'
import { runPlan } from '../simulation/run-plan.ts'
import { runSeed } from '../simulation/run-seed.ts'

const seeds = 200
const together = 20
const stories = new URL('../simulation/stories/', import.meta.url)

test('the same seed tells the same story, to the last byte', { timeout: 60_000 }, async () => {
  for (const seed of [3, 245, 391]) {
    const first = await runSeed(seed)
    const again = await runSeed(seed)
    expect(again.story.join('\n')).toBe(first.story.join('\n'))
    expect(first.story.length).toBeGreaterThan(20)
  }
})

test.each(Array.from({ length: seeds / together }, (_, group) => group * together + 1))(
  'nothing is lost, doubled, stale or paid for without need: 20 seeds from %i on',
  { timeout: 120_000 },
  async first => {
    for (let seed = first; seed < first + together; seed += 1) {
      const outcome = await runSeed(seed)
      const why = outcome.ok ? '' : `seed ${seed} breaks ${outcome.invariant}: ${outcome.message}`
      expect(why).toBe('')
    }
  }
)

test.each(readdirSync(stories).map(file => file.replace('.json', '')))(
  'a story that went wrong once goes well: %s',
  { timeout: 30_000 },
  async name => {
    const { plan }: { readonly plan: Plan } = JSON.parse(
      readFileSync(new URL(`${name}.json`, stories), 'utf8')
    )
    const outcome = await runPlan(plan)
    expect(outcome.ok ? '' : `${outcome.invariant}: ${outcome.message}`).toBe('')
  }
)
