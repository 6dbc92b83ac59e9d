import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ApiClient } from '../../services/controller/src/cli/api-client.ts'

const main = fileURLToPath(new URL('../../services/controller/src/main.ts', import.meta.url))
const answering = /"url":"(http:[^"]+)"/

export interface ControllerProcess extends AsyncDisposable {
  /** Rejects when it ends without ever answering. */
  readonly url: Promise<string>
  /** Exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>
  readonly pid: number
  readonly said: () => string
  signal(name: NodeJS.Signals): void
  api(token?: string): Promise<ApiClient>
}

/** The controller as a process of its own, on any free port. */
export function startController(env: Readonly<Record<string, string>>): ControllerProcess {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'] ?? '', CONTROLLER_PORT: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let said = ''
  const url = Promise.withResolvers<string>()
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    const found = answering.exec(said)?.[1]
    if (found !== undefined) url.resolve(found)
  })
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null))
  void ended.then(() => url.reject(new Error(`the controller ended:\n${said}`)))
  url.promise.catch(() => undefined)
  return {
    url: url.promise,
    ended,
    pid: child.pid ?? 0,
    signal: name => void child.kill(name),
    said: () => said,
    api: async token => new ApiClient({ url: await url.promise, token }, fetch),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      // One that is frozen takes no other.
      child.kill('SIGCONT')
      await ended
    }
  }
}
