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

test('a rule plays from a moment on and for a while; what comes outside is not counted', () => {
  const { rules } = faultScriptSchema.parse({
    rules: [
      { kind: 'slow_down', fromMs: 100, forMs: 50, nth: 2 },
      { kind: 'nan', forMs: 100 },
      { kind: 'zero_vector', fromMs: 200 }
    ]
  })
  let nowMs = 5_000
  const script = new FaultScript(rules, 1, () => nowMs)
  const playedAfter = (elapsedMs: number): string | undefined => {
    nowMs = 5_000 + elapsedMs
    return script.draw({ route: 'embeddings', model: 'm', texts: ['a'] })?.kind
  }

  expect([0, 99, 100, 120, 149, 150, 199, 200, 1e9].map(playedAfter)).toEqual([
    'nan',
    'nan',
    undefined,
    'slow_down',
    undefined,
    undefined,
    undefined,
    'zero_vector',
    'zero_vector'
  ])
  expect(script.report().rules).toMatchObject([{ seen: 3, played: 1 }, { seen: 2 }, { seen: 2 }])
})

test('jobs, files and webhooks have storms, too; lines have none', () => {
  const { rules } = faultScriptSchema.parse({
    rules: [
      { kind: 'job_fails', forMs: 10 },
      { kind: 'file_hidden', seconds: 1, forMs: 10 },
      { kind: 'webhook_lost', forMs: 10 }
    ]
  })
  let nowMs = 0
  const script = new FaultScript(rules, 1, () => nowMs)
  const drawn = (): number[] => [
    script.drawJob().length,
    script.drawFile().length,
    script.drawWebhook() === undefined ? 0 : 1
  ]
  expect(drawn()).toEqual([1, 1, 1])
  nowMs = 10
  expect(drawn()).toEqual([0, 0, 0])
  const ofLines = faultScriptSchema.safeParse({ rules: [{ kind: 'line_error', forMs: 10 }] })
  expect(ofLines.error?.issues[0]?.path).toEqual(['rules', 0, 'forMs'])
})
