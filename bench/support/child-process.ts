// A program of this repository as a process of its own, ended with us even when we are killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openWatchdog } from '../../tools/stack/watchdog.ts'

export interface ChildOptions {
  readonly program: URL
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** For Node itself, e.g. `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
}

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** The next line of its standard output. @throws when it ends without one. */
  line(): Promise<string>
  /** Rejects with what it last wrote to standard error when it ends uninvited. */
  readonly failed: Promise<never>
  /** SIGTERM, then waits for its end. */
  end(): Promise<void>
}

const keptErrorCharacters = 4_000
const graceSeconds = 10

export async function openChild({
  program,
  args = [],
  env = {},
  nodeOptions = []
}: ChildOptions): Promise<Child> {
  const path = fileURLToPath(program)
  const child = spawn(process.execPath, [...nodeOptions, path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const watchdog = openWatchdog(graceSeconds, undefined)
  watchdog.add(pid)

  let complaints = ''
  let invited = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-keptErrorCharacters)
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const ended = new Promise<void>(resolve => {
    child.once('close', code => {
      if (!invited) failure.reject(new Error(`${path} ended with ${code}\n${complaints}`))
      resolve()
    })
  })

  const end = async (): Promise<void> => {
    invited = true
    child.kill('SIGTERM')
    await ended
    await watchdog[Symbol.asyncDispose]()
  }
  return {
    pid,
    failed: failure.promise,
    async line() {
      const next = await Promise.race([lines.next(), failure.promise])
      if (next.done === true) return failure.promise
      return next.value
    },
    end,
    [Symbol.asyncDispose]: end
  }
}
