import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { StackError } from '../../tools/stack/stack-error.ts'

/** Removes a compose project when this process is gone. Disposing it does so now. */
export interface ContainerReaper extends AsyncDisposable {
  /** Nothing more is being created. */
  isUp(): void
}

const script = fileURLToPath(new URL('./container-reaper.sh', import.meta.url))

/**
 * Does without the image that testcontainers has for this (Ryuk): one less to fetch, and none that is given the engine.
 * @param env - for the docker command.
 */
export function openContainerReaper(
  projectName: string,
  env: NodeJS.ProcessEnv = process.env
): ContainerReaper {
  // A session of its own: Ctrl-C in the terminal must not end it.
  const child = spawn('/bin/sh', [script, projectName], {
    detached: true,
    cwd: '/',
    env,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  const ended = new Promise<number | null>(resolve => {
    child.once('close', code => resolve(code))
    child.once('error', () => resolve(null))
  })
  child.stdin.on('error', () => {})
  child.unref()

  return {
    isUp: () => void child.stdin.write('up\n'),
    async [Symbol.asyncDispose]() {
      child.ref()
      child.stdin.end()
      if ((await ended) === 0) return
      throw new StackError(
        `containers of the tests may be left; remove them with "docker compose -p ${projectName} down -v"`
      )
    }
  }
}
