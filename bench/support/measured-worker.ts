// One measurement in a process of its own, so that neither side's heap and garbage is the other's. Both ends are here:
// `runMeasured` in the benchmark, `serveMeasured` in the worker. The worker prepares untimed, says so, and begins
// when it is told.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Milliseconds from the start to the last acknowledgement. */
export interface Measured {
  readonly ms: number
}

/**
 * @param task - plain data; what `serveMeasured` gives to `prepare`.
 * @param onStart - is told the worker's pid when it is prepared, right before the start.
 * @param onEnd - is called right after the end, while the worker still runs.
 */
export async function runMeasured(
  worker: URL,
  task: unknown,
  onStart: (pid: number) => void,
  onEnd: () => void,
  signal: AbortSignal
): Promise<Measured> {
  // Its standard output is nobody's: LangChain writes a line for every batch.
  const child = fork(fileURLToPath(worker), [JSON.stringify(task)], {
    signal,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  child.once('error', error => failure.reject(error))
  child.once('exit', code => failure.reject(new Error(`${worker.pathname} ended with ${code}`)))

  await Promise.race([once(child, 'message'), failure.promise])
  onStart(child.pid ?? 0)
  child.send('go')
  const [ms]: unknown[] = await Promise.race([once(child, 'message'), failure.promise])
  onEnd()
  child.kill()
  return { ms: Number(ms) }
}

/** @param prepare - returns what is timed. */
export async function serveMeasured<Task>(
  prepare: (task: Task) => Promise<() => Promise<void>>
): Promise<void> {
  // Nobody is left to tell the result to.
  process.once('disconnect', () => process.exit(1))
  const task: Task = JSON.parse(process.argv[2] ?? '')
  const run = await prepare(task)
  process.send?.('ready')
  await once(process, 'message')
  const began = performance.now()
  await run()
  process.send?.(performance.now() - began)
}
