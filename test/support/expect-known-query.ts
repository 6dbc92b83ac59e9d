import { expect } from 'vitest'
import { knownMetrics, publishedValues, queried } from './known-metrics.ts'

/** Given by Kubernetes, by way of the Prometheus Operator. */
const givenLabels = new Set(['namespace', 'pod', 'app_kubernetes_io_instance'])
/** Those of a reading publish all of their values each time, so that what is not there does not exist. */
const closedLabels = new Set(['lane', 'kind', 'stage', 'status', 'state'])

/** Fails with what no service has: a metric, a label of it or a value of that label. */
export async function expectKnownQuery(expression: string): Promise<void> {
  const [known, published] = await Promise.all([knownMetrics(), publishedValues()])
  const { metrics, grouping } = queried(expression)
  expect(metrics, expression).not.toHaveLength(0)
  const unknown = metrics.flatMap(({ metric, matchers }) => {
    const labels = known.get(metric)
    if (labels === undefined) return [metric]
    const used = matchers.map(({ label }) => label)
    const isPublished = [...published].some(value => value.startsWith(`${metric} `))
    const values = matchers
      .filter(({ label }) => closedLabels.has(label) && isPublished)
      .flatMap(matcher => matcher.values.map(value => `${metric} ${matcher.label}=${value}`))
    return [
      ...used
        .filter(label => !labels.has(label) && !givenLabels.has(label))
        .map(label => `${metric} ${label}`),
      ...values.filter(value => !published.has(value))
    ]
  })
  const labels = new Set(metrics.flatMap(({ metric }) => [...(known.get(metric) ?? [])]))
  const ungrouped = grouping.filter(label => !labels.has(label) && !givenLabels.has(label))
  expect([...unknown, ...ungrouped], expression).toEqual([])
}
