/**
 * What a caller may do. Nothing else about an error changes control flow.
 * - `retry`  the same input may succeed later: back off and try again.
 * - `reject` this input can never succeed: dead-letter it and go on.
 * - `fatal`  no input can succeed until an operator acts: stop, and say so.
 */
export type Disposition = 'retry' | 'reject' | 'fatal'

/** Whether the world outside changed: surely not, or perhaps (it may be paid or stored). */
export type Outcome = 'refused' | 'unknown'

/** Every way Pointsman fails on purpose: the whole policy, on one screen. */
const policies = {
  COLLECTION_MISMATCH: ['fatal', 'refused'],
  CONFIG_INVALID: ['fatal', 'refused'],
  CONTROL_LOG_CUT: ['fatal', 'refused'],
  DOCUMENT_UNREADABLE: ['reject', 'refused'],
  EMBED_INPUT_REJECTED: ['reject', 'refused'],
  EMBED_OUTCOME_UNKNOWN: ['retry', 'unknown'],
  EMBED_OUT_OF_FUNDS: ['fatal', 'refused'],
  EMBED_RATE_LIMITED: ['retry', 'refused'],
  EMBED_REFUSED: ['fatal', 'refused'],
  EMBED_TOO_LARGE: ['reject', 'refused'],
  EMBED_UNAVAILABLE: ['retry', 'refused'],
  JOB_GONE: ['reject', 'refused'],
  LEDGER_FOREIGN: ['fatal', 'refused'],
  LEDGER_REBUILDING: ['retry', 'refused'],
  LEDGER_UNAVAILABLE: ['retry', 'unknown'],
  LOG_UNAVAILABLE: ['retry', 'unknown'],
  REGISTRY_UNAVAILABLE: ['retry', 'refused'],
  RUN_ACTIVE: ['fatal', 'refused'],
  SCHEMA_UNKNOWN: ['fatal', 'refused'],
  SPOOL_UNAVAILABLE: ['retry', 'refused'],
  STORE_REJECTED: ['reject', 'refused'],
  STORE_UNAVAILABLE: ['retry', 'unknown'],
  TOPIC_UNFIT: ['fatal', 'refused'],
  USAGE: ['fatal', 'refused']
} as const satisfies Record<string, readonly [Disposition, Outcome]>

export type FailureCode = keyof typeof policies

export interface FailureOptions {
  readonly cause?: unknown
  /** How long the other side asked us to wait. */
  readonly retryAfterMs?: number | undefined
  /** Index of the input that the other side named as the bad one. */
  readonly inputIndex?: number | undefined
}

/** A failure that was foreseen. Its code decides what happens next; its message is for a person. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly retryAfterMs: number | undefined
  readonly inputIndex: number | undefined

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.inputIndex = options.inputIndex
  }
}

/** A foreign error is retried as a call that may have happened: losing a document is worse than paying twice. */
export function policyOf(error: unknown): readonly [Disposition, Outcome] {
  return error instanceof Failure ? policies[error.code] : ['retry', 'unknown']
}
