import { messageOf } from './message-of.ts'

export interface ServiceOptions {
  /** How long a stopping service may take, milliseconds. */
  readonly graceMs: number
  readonly log: (message: string) => void
  readonly signals?: Pick<NodeJS.EventEmitter, 'on' | 'off'>
}

/**
 * Runs a service until it returns, throws or is told to stop. The first SIGTERM or SIGINT aborts the signal given to
 * `run`; a second one, or `graceMs` running out, stops waiting.
 *
 * @returns the exit code: 0 when `run` returned, 1 when it threw or was abandoned.
 */
export async function runService(
  run: (signal: AbortSignal) => Promise<void>,
  options: ServiceOptions
): Promise<0 | 1> {
  const { graceMs, log, signals = process } = options
  const stop = new AbortController()
  const abandoned = Promise.withResolvers<1>()
  let deadline: NodeJS.Timeout | undefined

  const abandon = (why: string): void => {
    log(`${why}: exiting now; the ledger still holds the work in flight`)
    abandoned.resolve(1)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) return abandon(`second ${signal}`)
    log(`${signal}: stopping, for at most ${graceMs} ms`)
    deadline = setTimeout(abandon, graceMs, 'grace period over')
    stop.abort()
  }

  signals.on('SIGTERM', onSignal)
  signals.on('SIGINT', onSignal)
  try {
    return await Promise.race([outcomeOf(run, stop.signal, log), abandoned.promise])
  } finally {
    clearTimeout(deadline)
    signals.off('SIGTERM', onSignal)
    signals.off('SIGINT', onSignal)
  }
}

async function outcomeOf(
  run: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  log: (message: string) => void
): Promise<0 | 1> {
  try {
    await run(signal)
    return 0
  } catch (error) {
    if (signal.aborted && error === signal.reason) return 0
    log(messageOf(error))
    return 1
  }
}
