// What has to happen in some of many runs: a simulation in which it never did would show nothing about it.

const always: readonly string[] = ['crash']

/** @returns what did not happen. */
export function missingEvents(happened: ReadonlyMap<string, number>): readonly string[] {
  return always.filter(what => (happened.get(what) ?? 0) === 0)
}
