// The command line in this process, against a controller over everything in memory.
import { systemClock } from '@pointsman/core/runtime/clock'
import { afterEach } from 'vitest'
import { ApiClient, type Fetch } from '../../services/controller/src/cli/api-client.ts'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import type { ProcessRunner } from '../../services/controller/src/cli/process-runner.ts'
import { runProgram } from '../../services/controller/src/cli/program.ts'
import { painter } from '../../services/controller/src/cli/terminal.ts'
import { serveApi } from './controller-api.ts'
import type { MemoryWorld } from './memory-world.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

export interface Ran {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

export interface Controller {
  readonly world: MemoryWorld
  readonly url: string
}

export async function startController(token?: string): Promise<Controller> {
  const { api, world } = await serveApi({ token })
  const url = await api.listen({ host: '127.0.0.1', port: 0 })
  cleanUps.push(() => api.close())
  return { world, url }
}

export interface Given {
  readonly url?: string
  readonly token?: string
  readonly isColoured?: boolean
  readonly run?: ProcessRunner
  readonly confirm?: CliContext['confirm']
  readonly within?: CliContext['within']
  readonly fetch?: Fetch
  readonly interrupted?: AbortSignal
}

export async function cli(args: readonly string[], given: Given = {}): Promise<Ran> {
  let out = ''
  let err = ''
  const interrupted = given.interrupted ?? new AbortController().signal
  const exitCode = await runProgram(
    args,
    {
      api: new ApiClient(
        { url: given.url ?? 'http://127.0.0.1:9', token: given.token },
        given.fetch ?? fetch
      ),
      terminal: {
        out: text => void (out += text),
        err: text => void (err += text),
        isLive: false,
        columns: 100,
        paint: painter(given.isColoured ?? false)
      },
      clock: systemClock,
      interrupted,
      within: given.within ?? (ms => AbortSignal.any([interrupted, AbortSignal.timeout(ms)])),
      run: given.run ?? (async () => 0),
      confirm: given.confirm ?? (async () => false),
      env: {},
      namespace: 'test',
      runFile: undefined
    },
    '1.2.3'
  )
  return { exitCode, out, err }
}
