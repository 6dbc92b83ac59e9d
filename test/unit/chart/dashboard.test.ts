import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { expectKnownQuery } from '../../support/expect-known-query.ts'
import { queried } from '../../support/known-metrics.ts'

const root = join(import.meta.dirname, '../../..')
const grid = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() })
const dashboard = z.object({
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string().min(1),
      gridPos: grid,
      targets: z.array(z.object({ expr: z.string() })).optional()
    })
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) })
})

const { panels, templating } = dashboard.parse(
  JSON.parse(await readFile(join(root, 'deploy/helm/pointsman/dashboards/pointsman.json'), 'utf8'))
)

describe('the dashboard', () => {
  const expressions = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr }))
  )

  test.each(expressions)('$title asks only for what the services tell', async ({ expr }) => {
    await expectKnownQuery(expr)
  })

  test('asks every metric for one release in one namespace', () => {
    for (const { expr } of expressions) {
      for (const { matchers } of queried(expr).metrics) {
        expect(matchers, expr).toEqual(
          expect.arrayContaining([
            { label: 'namespace', values: ['$namespace'] },
            { label: 'app_kubernetes_io_instance', values: ['$release'] }
          ])
        )
      }
    }
  })

  test('finds its namespaces and releases by a metric that there is', async () => {
    const definitions = templating.list.flatMap(({ definition }) => definition ?? [])
    expect(definitions).toHaveLength(2)
    for (const definition of definitions) await expectKnownQuery(definition)
  })

  test('has no two panels in one place', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`)
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})

describe('the guard of queries', () => {
  test.each([
    ['a metric', 'sum(pointsman_lag_dokuments)'],
    ['a label', 'sum by (team) (pointsman_jobs)'],
    ['a value', 'pointsman_lag_documents{kind="unred"}'],
    ['one value of several', 'pointsman_lag_status{status=~"LOST|GONE"}']
  ])('refuses %s that no service has', async (_, expression) => {
    await expect(expectKnownQuery(expression)).rejects.toThrow('to deeply equal []')
  })
})

test('docs/operations.md names every metric of ours, and none besides', async () => {
  const { knownMetrics } = await import('../../support/known-metrics.ts')
  const text = await readFile(join(root, 'docs/operations.md'), 'utf8')
  const told = new Set(text.match(/\bpointsman_\w+/g))
  const known = [...(await knownMetrics()).keys()].filter(name => name.startsWith('pointsman_'))
  expect([...told].toSorted()).toEqual(known.toSorted())
})
