// One service of Pointsman as a process of its own, started again when it crashes.
//
//   U1  It ends with us: the watchdog knows its pid as long as it runs.
//   U2  Exit code 2 means that an operator must change something: then it is not started again.

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Watchdog } from '../stack/watchdog.ts'
import { UpError } from './up-error.ts'

export interface ServicePlan {
  readonly name: string
  /** Relative to the project. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logPath: string
}

export interface ServiceDeps {
  readonly watchdog: Watchdog
  /** Something that a person wants to know. */
  readonly tell: (text: string) => void
  /** It will not be started again. */
  readonly onUnfit: (problem: UpError) => void
}

const projectRoot = fileURLToPath(new URL('../../', import.meta.url))
const stopLimitMs = 20_000
const firstPauseMs = 500
const maxPauseMs = 10_000
/** A service that lived so long was well: its next crash is a new story. */
const wellMs = 60_000
const maxLogBytes = 20 * 1024 * 1024
const shownLogLines = 12

export class Service implements AsyncDisposable {
  readonly #plan: ServicePlan
  readonly #deps: ServiceDeps
  readonly #stopping = new AbortController()
  #child: ChildProcess | undefined
  #life: Promise<void> = Promise.resolve()

  constructor(plan: ServicePlan, deps: ServiceDeps) {
    this.#plan = plan
    this.#deps = deps
  }

  async start(): Promise<void> {
    await mkdir(dirname(this.#plan.logPath), { recursive: true })
    await turnLog(this.#plan.logPath)
    this.#life = this.#live()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    const child = this.#child
    child?.kill('SIGTERM')
    const killing = setTimeout(() => child?.kill('SIGKILL'), stopLimitMs)
    await this.#life
    clearTimeout(killing)
  }

  async #live(): Promise<void> {
    const { name, logPath } = this.#plan
    const { signal } = this.#stopping
    let pauseMs = firstPauseMs
    while (!signal.aborted) {
      const beganMs = performance.now()
      const { code, how } = await this.#run()
      if (this.#stopping.signal.aborted) return
      if (code === 2) return this.#deps.onUnfit(new UpError(`${name} cannot run:\n${await logTail(logPath)}`)) // U2
      if (performance.now() - beganMs > wellMs) pauseMs = firstPauseMs
      this.#deps.tell(`${name} ended (${how}); started again in ${pauseMs / 1000} s; see ${logPath}`)
      await delay(pauseMs, undefined, { signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, maxPauseMs)
    }
  }

  async #run(): Promise<{ readonly code: number | null; readonly how: string }> {
    const { script, args, env, logPath } = this.#plan
    const log = openSync(logPath, 'a')
    // A process group of its own: Ctrl-C is for us, and we end the services in order.
    const child = spawn(process.execPath, [join(projectRoot, script), ...args], {
      cwd: projectRoot,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...env }
    })
    closeSync(log)
    this.#child = child
    const { pid } = child
    if (pid !== undefined) this.#deps.watchdog.add(pid) // U1
    const { promise, resolve } = Promise.withResolvers<{
      readonly code: number | null
      readonly how: string
    }>()
    child.once('error', error => resolve({ code: null, how: error.message }))
    child.once('exit', (code, killedBy) => resolve({ code, how: killedBy ?? `exit code ${code}` }))
    const ended = await promise
    if (pid !== undefined) this.#deps.watchdog.drop(pid)
    return ended
  }
}

/** The log of the last starts is kept; older ones go. */
async function turnLog(path: string): Promise<void> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0
  )
  if (bytes > maxLogBytes) await rename(path, `${path}.1`)
}

async function logTail(path: string): Promise<string> {
  const log = await readFile(path, 'utf8').catch(() => '')
  return `${log.trimEnd().split('\n').slice(-shownLogLines).join('\n')}\n(${path})`
}
