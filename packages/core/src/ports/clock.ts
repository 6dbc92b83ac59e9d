/** Time and chance, so that a simulation can own both. */
export interface Clock {
  /** Milliseconds since the Unix epoch. A hint: no safety rests on it. */
  nowMs(): number

  /** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>

  /** Uniform in [0, 1). */
  random(): number
}
