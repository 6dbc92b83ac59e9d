import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'

const main = fileURLToPath(import.meta.resolve('@pointsman/local-openai/main'))

export interface LocalOpenaiProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  readonly adminUrl: string
  readonly client: OpenAI
  get(route: string): Promise<unknown>
  put(route: string, body: unknown): Promise<unknown>
  /** Ends it by SIGKILL. */
  kill(): Promise<void>
}

/** The server as a process; whoever starts it ends it. */
export function spawnLocalOpenai(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Starts it as a process and waits until it answers. */
export async function serveLocalOpenai(...args: string[]): Promise<LocalOpenaiProcess> {
  const child = spawnLocalOpenai('--json', ...args)
  const exited = once(child, 'exit')
  const [line] = await once(child.stdout!, 'data')
  const { url, adminUrl } = JSON.parse(String(line))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  return {
    child,
    url,
    adminUrl,
    client: new OpenAI({ baseURL: url, apiKey: 'test-key', maxRetries: 0 }),
    get: async route => await (await fetch(adminUrl + route)).json(),
    put: async (route, body) => {
      const headers = { 'content-type': 'application/json' }
      return await (
        await fetch(adminUrl + route, { method: 'PUT', headers, body: JSON.stringify(body) })
      ).json()
    },
    kill,
    [Symbol.asyncDispose]: kill
  }
}
