/**
 * Protocol error types of an error and its causes, e.g. `UNKNOWN_MEMBER_ID`. KafkaJS wraps errors, and the wrapper has
 * no type.
 */
export function errorTypes(error: unknown): readonly string[] {
  const types: string[] = []
  for (let each = error; each instanceof Error && types.length < 10; each = each.cause) {
    if ('type' in each && typeof each.type === 'string') types.push(each.type)
  }
  return types
}

/** Answers that every rebalance may bring: this member or generation is not the current one. */
export function isMembershipError(error: unknown): boolean {
  return errorTypes(error).some(type => membershipErrors.has(type))
}

const membershipErrors = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'])
