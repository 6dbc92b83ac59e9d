import { isTraced, type TracedMethod } from '@pointsman/core/adapters/redis/trace'
import type { Ledger } from '@pointsman/core/ports/ledger'

/** A call that was answered. */
export type TracedStep = {
  readonly [Method in TracedMethod]: {
    readonly method: Method
    readonly args: Parameters<Ledger[Method]>
    readonly answer: Awaited<ReturnType<Ledger[Method]>>
  }
}[TracedMethod]

interface Untyped {
  readonly method: string
  readonly args: readonly unknown[]
  readonly answer: unknown
}

/** The specification has taken these arguments, and given an equal answer. */
export function isStep(step: Untyped): step is Untyped & TracedStep {
  return isTraced(step.method)
}
