import type { Lane } from '@pointsman/core/domain/lane'
import { costOf } from '../../status/token-price.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { CostChange } from './analysis-report.ts'

/** Documents that change the lane in which they are paid for. */
export interface Moving {
  readonly documents: number
  /** Undefined when not known: then they are reckoned from the documents. */
  readonly tokens: number | undefined
  readonly from: Lane
  readonly to: Lane
}

/** Tokens to be paid for per document, copies and deletions included: the mean of all that are finished. */
export function tokensPerDocument({ counts, progress }: AnalysisFacts['survey']): number | null {
  const unsettled = [...progress.values()].reduce((sum, partition) => sum + partition.unsettled, 0)
  const finished = counts.admitted - unsettled
  return finished <= 0 || counts.necessaryTokens === 0 ? null : counts.necessaryTokens / finished
}

/** What these documents cost where they are and where they come. Null is "not known". */
export function costChange(
  moving: readonly Moving[],
  perDocument: number | null,
  prices: AnalysisFacts['jobTerms']['prices']
): CostChange {
  const sums = moving
    .filter(({ documents }) => documents > 0)
    .map(({ documents, tokens, from, to }) => {
      const all = tokens ?? (perDocument === null ? null : documents * perDocument)
      return {
        documents,
        tokens: all,
        nowUsd: all === null ? null : (costOf(all, prices[from]) ?? null),
        thenUsd: all === null ? null : (costOf(all, prices[to]) ?? null)
      }
    })
  const nowUsd = sumOf(sums.map(sum => sum.nowUsd))
  const thenUsd = sumOf(sums.map(sum => sum.thenUsd))
  return {
    documents: sums.reduce((sum, { documents }) => sum + documents, 0),
    tokens: sumOf(sums.map(({ tokens }) => tokens)),
    nowUsd,
    thenUsd,
    differenceUsd: nowUsd === null || thenUsd === null ? null : thenUsd - nowUsd
  }
}

/** Null when one of them is. */
export function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}
