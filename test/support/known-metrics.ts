// What the services tell Prometheus: names and labels from the code that declares them, values of labels from lag metrics
// that were published.
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObligationId } from '@pointsman/core/domain/identity'
import { lanes } from '@pointsman/core/domain/lane'
import { Metrics } from '@pointsman/core/runtime/metrics'
import { lagMetrics } from '../../services/controller/src/lag/lag-metrics.ts'
import { standbyOf } from '../../services/controller/src/switching/standby.ts'
import { reading, report } from './lag-reading.ts'
import { obligationOf, progressOf } from './survey.ts'

const root = join(import.meta.dirname, '../..')
const declaration = /metrics\.(?:gauge|counter|histogram)\(\s*'(pointsman_\w+)',\s*'[^']*'([^)]*)\)/g

/** Labels of each metric; those of Node itself are among them. */
export async function knownMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const known = new Map<string, ReadonlySet<string>>()
  const { body } = await new Metrics('test').render()
  for (const [, name = ''] of body.matchAll(/^# TYPE (\w+)/gm)) known.set(name, new Set())
  for await (const path of glob('{services/*,packages/core}/src/**/*.ts', { cwd: root })) {
    const source = await readFile(join(root, path), 'utf8')
    for (const [, name = '', labels = ''] of source.matchAll(declaration)) {
      known.set(name, new Set([...labels.matchAll(/'(\w+)'/g)].map(([, label = '']) => label)))
    }
  }
  return known
}

/** As `metric label=value`, of the metrics that each reading of the lag publishes. */
export async function publishedValues(): Promise<ReadonlySet<string>> {
  const metrics = new Metrics('controller')
  const publish = lagMetrics(metrics, 1000)
  const values = new Set<string>()
  for (const lane of lanes) {
    const only = reading({
      end: 90,
      progress: [[0, { ...progressOf(40, 60, 20), lane }]],
      obligations: [obligationOf(0, 20, { id: 'o.1' as ObligationId, kind: 'orphan', owner: undefined })]
    })
    const { survey } = only
    const groupState = { state: 'Stable', members: [] }
    publish({
      report: report(only),
      survey,
      standbys: {
        realtime: standbyOf({ lane: 'realtime', group: 'a', groupState, survey }),
        batch: standbyOf({ lane: 'batch', group: 'b', groupState, survey })
      }
    })
    for (const [, metric, labels = ''] of (await metrics.render()).body.matchAll(/^(\w+)\{(.*)\}/gm)) {
      for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g))
        values.add(`${metric} ${label}=${value}`)
    }
  }
  return values
}

export interface Queried {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] }[]
}

/** The metrics that a PromQL expression asks for, and the labels that it groups by. */
export function queried(expression: string): {
  readonly metrics: readonly Queried[]
  readonly grouping: readonly string[]
} {
  const metrics = [...expression.matchAll(/\b((?:pointsman|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', matchers = '']) => ({
      metric,
      matchers: [...matchers.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', values = '']) => ({
        label,
        values: values.split('|')
      }))
    })
  )
  const grouping = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) =>
    labels.split(',').map(label => label.trim())
  )
  return { metrics, grouping }
}
