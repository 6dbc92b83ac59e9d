import type { Metrics } from '@pointsman/core/runtime/metrics'
import type { SweeperDeps } from './sweeper.ts'

/** Returns what counts each page that was swept. */
export function sweepMetrics(metrics: Metrics): SweeperDeps['onPage'] {
  const looked = metrics.counter('pointsman_sweeper_objects_total', 'Objects that the sweeper looked at')
  const walks = metrics.counter('pointsman_sweeper_walks_total', 'Walks of the sweeper through the index')
  const removed = metrics.counter(
    'pointsman_sweeper_removed_total',
    'Objects that the sweeper removed: an older content, or of a deleted document',
    ['reason']
  )
  const corrected = metrics.counter(
    'pointsman_sweeper_corrected_total',
    'Documents that were given up, and whose object was there after all'
  )
  return ({ corrected: entries, deleted, isEnd, objects, outlived }) => {
    looked.inc(objects)
    removed.inc({ reason: 'outlived' }, outlived)
    removed.inc({ reason: 'deleted' }, deleted)
    corrected.inc(entries)
    if (isEnd) walks.inc()
  }
}
