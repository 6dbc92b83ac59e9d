import type { EmbeddingsRequest } from '../embeddings-request.ts'
import type { JobFault } from './job-fault.ts'
import type { LineOutcome } from './line-answer.ts'

/** A line that has run, and what goes wrong with it on purpose. */
export interface RanLine {
  readonly outcome: LineOutcome
  readonly fault: JobFault | undefined
}

function paidRequest({ fault, outcome }: RanLine): EmbeddingsRequest | undefined {
  if (outcome.kind !== 'embedded') return undefined
  const rule = fault?.rule
  const isUnpaid = (rule?.kind === 'line_error' || rule?.kind === 'line_missing') && !rule.paid
  return isUnpaid ? undefined : outcome.request
}

/** What is paid for the lines. */
export function paidRequests(lines: readonly RanLine[]): EmbeddingsRequest[] {
  return lines.flatMap(line => paidRequest(line) ?? [])
}

/** Whether it is counted as failed. */
export function hasFailed({ fault, outcome }: RanLine): boolean {
  return outcome.kind === 'refused' || fault?.rule.kind === 'line_error'
}

/** Adds to how many lines the faults have met, by the keys of their rules. */
export function addStruck(
  struck: Readonly<Record<string, number>>,
  lines: readonly RanLine[]
): Record<string, number> {
  const sum = { ...struck }
  for (const { fault } of lines) {
    if (fault) sum[fault.key] = (sum[fault.key] ?? 0) + 1
  }
  return sum
}
