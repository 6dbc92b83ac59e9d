import { otherLane } from '@pointsman/core/domain/lane'
import { reckon } from '../../estimate/reckon.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import type { Backlog } from './analysis-report.ts'
import { costChange, tokensPerDocument } from './cost-change.ts'

/** What is unread in the partitions that move: what it costs and how long it takes in either lane. Pure. */
export function analyseBacklog(facts: AnalysisFacts, moving: readonly number[]): Backlog {
  const { basis, jobTerms, lag, survey, target } = facts
  const documents = lag.partitions
    .filter(({ partition }) => moving.includes(partition))
    .reduce((sum, { unread }) => sum + unread, 0)
  const perDocument = tokensPerDocument(survey)
  const change = { documents, tokens: undefined, from: otherLane(target), to: target }
  const { tokens, differenceUsd } = costChange([change], perDocument, jobTerms.prices)
  const common = { documents, tokens, tokensPerDocument: perDocument, differenceUsd }
  if (tokens === null) {
    const unknown = { usd: null, expectedMs: null, basis: 'no document was paid for yet' }
    return { ...common, realtime: unknown, batch: unknown }
  }
  const { maxLines, maxTokens } = basis.batch
  const jobs = Math.ceil(Math.max(documents / maxLines, tokens / maxTokens))
  const { realtime, batch } = reckon({ texts: documents, tokens, jobs }, basis)
  return {
    ...common,
    realtime,
    batch: { usd: batch.usd, expectedMs: batch.expectedMs, basis: batch.basis }
  }
}
