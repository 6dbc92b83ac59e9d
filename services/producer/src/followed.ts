/** What is known of a root that is read again and again, beforehand. */
export interface Followed {
  /** Only what differs from the last time is read; undefined: everything is. */
  readonly changes: Changes | undefined
  /** Whether a file is being written, or has only just gone: a later round sees to it. */
  isMoving(path: string): boolean
  /** Why texts that are not found are kept; undefined when they are not. */
  readonly keep: string | undefined
}

export interface Changes {
  /** Paths that are there, with the reason why they cannot be read when that is known. */
  readonly found: ReadonlyMap<string, string | undefined>
  readonly gone: ReadonlySet<string>
}

export function isAmong({ found, gone }: Changes, path: string): boolean {
  return found.has(path) || gone.has(path)
}
