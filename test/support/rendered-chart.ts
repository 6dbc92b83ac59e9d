// The chart, rendered by Helm itself with each set of values that it is tried with.

import { join } from 'node:path'
import { beforeAll } from 'vitest'
import { z } from 'zod'
import {
  chartFolder,
  chartTools,
  type ChartTools,
  renderChart,
  valueSets
} from '../../tools/chart/chart-tools.ts'
import { KubernetesObjects, type Variable } from './kubernetes-objects.ts'

export const minimal = join(chartFolder, 'ci/minimal-values.yaml')
export const everything = join(chartFolder, 'ci/everything-values.yaml')
export const prometheus = join(chartFolder, 'ci/prometheus-values.yaml')

/** On a new computer Helm is compiled first. */
export const compileMs = 900_000

export interface RenderedChart {
  readonly tools: ChartTools
  /** @param values - path of a set of values. */
  readonly objectsOf: (values: string) => KubernetesObjects
}

/** Renders before the tests of a file. */
export function renderedChart(): RenderedChart {
  const rendered = new Map<string, KubernetesObjects>()
  const found: { tools?: ChartTools } = {}
  beforeAll(async () => {
    const say = (line: string): unknown => process.stderr.write(`${line}\n`)
    const tools = await chartTools(process.env, say, new AbortController().signal)
    found.tools = tools
    for (const values of await valueSets()) {
      rendered.set(values, new KubernetesObjects(await renderChart(tools.helm, values)))
    }
  }, compileMs)
  return {
    get tools() {
      if (found.tools === undefined) throw new Error('there is no Helm yet')
      return found.tools
    },
    objectsOf(values) {
      const objects = rendered.get(values)
      if (objects === undefined) throw new Error(`${values} was not rendered`)
      return objects
    }
  }
}

/** What a container finds in its environment when all Secrets hold what they should. */
export function environmentOf(variables: readonly Variable[]): Record<string, string> {
  const secrets: Record<string, string> = { REDIS_URL: 'redis://:secret@redis:6379' }
  return Object.fromEntries(
    variables.map(({ name, value }) => [name, value ?? secrets[name] ?? 'from somewhere else'])
  )
}

const trigger = z.object({
  type: z.string(),
  metadata: z.record(z.string(), z.string()),
  authenticationRef: z.object({ name: z.string() })
})
export const scaledObject = z.object({
  scaleTargetRef: z.object({ name: z.string() }),
  minReplicaCount: z.number(),
  fallback: z.object({ replicas: z.number() }),
  triggers: z.tuple([trigger])
})
