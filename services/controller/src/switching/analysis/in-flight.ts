import type { Obligation } from '@pointsman/core/ports/ledger'
import { documentsOf } from '../../jobs/manifests.ts'
import type { AnalysisFacts } from './analysis-facts.ts'
import { type Stage, stageNames } from './analysis-report.ts'

/** Where the documents are that are not settled: all stages, also those without any. Pure. */
export function inFlight({ survey, lag }: Pick<AnalysisFacts, 'survey' | 'lag'>): Stage[] {
  const unread = lag.partitions.reduce((sum, partition) => sum + partition.unread, 0)
  return stageNames.map(stage => {
    if (stage === 'unread') return { stage, obligations: 0, documents: unread, tokens: null }
    const there = survey.obligations.filter(obligation => stageOf(obligation) === stage)
    return {
      stage,
      obligations: there.length,
      documents: there.reduce((sum, obligation) => sum + documentsOf(obligation), 0),
      tokens: tokensOf(there)
    }
  })
}

function stageOf({ kind, state }: Obligation): Stage['stage'] {
  return kind === 'orphan' ? 'waiting' : state
}

/** Null unless all are known: part of a sum would pass for the whole. */
function tokensOf(obligations: readonly Obligation[]): number | null {
  const known = obligations.map(({ job }) => job?.tokens ?? 0)
  return known.length === 0 || known.includes(0) ? null : known.reduce((sum, tokens) => sum + tokens, 0)
}
