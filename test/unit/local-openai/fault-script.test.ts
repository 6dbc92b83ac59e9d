import { faultScriptSchema } from '@pointsman/local-openai/fault-rules'
import type { FaultPlan } from '@pointsman/local-openai/fault-rules'
import { FaultScript } from '@pointsman/local-openai/fault-script'
import { expect, test } from 'vitest'

function play(plan: FaultPlan, requests: number, texts: readonly string[] = ['a']): (string | undefined)[] {
  const { rules, seed } = faultScriptSchema.parse(plan)
  const script = new FaultScript(rules, seed)
  return Array.from({ length: requests }, () => script.draw({ route: 'embeddings', model: 'm', texts })?.kind)
}

function playedAt(rule: FaultPlan['rules'][number], requests = 10): number[] {
  return play({ rules: [rule] }, requests).flatMap((kind, index) => (kind ? [index + 1] : []))
}

test('a rule plays on every request, on the n-th, on a list of them, or on a range', () => {
  expect(playedAt({ kind: 'nan' }, 3)).toEqual([1, 2, 3])
  expect(playedAt({ kind: 'nan', nth: 4 })).toEqual([4])
  expect(playedAt({ kind: 'nan', nth: [2, 9] })).toEqual([2, 9])
  expect(playedAt({ kind: 'nan', nth: { from: 3, to: 5 } })).toEqual([3, 4, 5])
  expect(playedAt({ kind: 'nan', nth: { from: 2, every: 4 } })).toEqual([2, 6, 10])
})

test('a rule plays no more often than it may', () => {
  expect(playedAt({ kind: 'nan', times: 2 })).toEqual([1, 2])
})

test('a share is drawn with the seed: the same script gives the same faults, another seed others', () => {
  const rules = [{ kind: 'nan', share: 0.3 }] as const
  const first = play({ seed: 1, rules: [...rules] }, 2000)
  expect(play({ seed: 1, rules: [...rules] }, 2000)).toEqual(first)
  expect(play({ seed: 2, rules: [...rules] }, 2000)).not.toEqual(first)
  const played = first.filter(Boolean).length
  expect(played).toBeGreaterThan(500)
  expect(played).toBeLessThan(700)
})

test('the first rule that fires decides, and the others count the request all the same', () => {
  expect(
    play(
      {
        rules: [
          { kind: 'nan', nth: 2 },
          { kind: 'shuffled', nth: [2, 3] }
        ]
      },
      3
    )
  ).toEqual([undefined, 'nan', 'shuffled'])
})

test('a rule counts only the requests that it is about', () => {
  const { rules } = faultScriptSchema.parse({
    rules: [{ kind: 'http_error', route: 'any', containing: 'bad', model: 'm', nth: 2 }]
  })
  const script = new FaultScript(rules)
  script.draw({ route: 'embeddings', model: 'm', texts: ['good'] })
  script.draw({ route: 'embeddings', model: 'other', texts: ['bad'] })
  script.draw({ route: 'models' })
  script.draw({ route: 'embeddings', model: 'm', texts: ['good', 'so bad'] })
  expect(script.report()).toMatchObject({ rules: [{ seen: 1, played: 0 }] })
  expect(script.draw({ route: 'embeddings', model: 'm', texts: ['bad'] })?.kind).toBe('http_error')
  expect(script.report()).toMatchObject({ rules: [{ seen: 2, played: 1 }] })
})
