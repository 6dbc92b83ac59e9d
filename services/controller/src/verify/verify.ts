import { compare, type CompareOptions } from './compare.ts'
import type { VerifyDeps } from './verify-deps.ts'
import type { VerifyReport } from './verify-report.ts'

/** Compares log, ledger and index document by document. Changes nothing. */
export async function verify(
  deps: VerifyDeps,
  options: CompareOptions,
  signal: AbortSignal
): Promise<VerifyReport> {
  return (await compare(deps, options, signal)).report
}
