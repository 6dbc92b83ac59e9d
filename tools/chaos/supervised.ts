// One service as a container runtime keeps it: a process that is started again whenever it ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { freezeProcess } from '../stack/freeze-process.ts'
import type { Watchdog } from '../stack/watchdog.ts'

export interface SupervisedPlan {
  readonly name: string
  /** Program and arguments; the program becomes the service, which is what is killed and frozen. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly logPath: string
  readonly watchdog: Watchdog
  readonly tell: (text: string) => void
}

/** It ended although nobody here ended it. */
export interface UninvitedEnd {
  readonly name: string
  /** Exit code or signal. */
  readonly how: string
}

const restartPauseMs = 300
/** After an end by itself, as a runtime backs off. */
const crashPauseMs = 1_000
const stopLimitMs = 15_000
const shownCharacters = 400
const shownLines = 15

export class Supervised implements AsyncDisposable {
  readonly #plan: SupervisedPlan
  readonly #stopping = new AbortController()
  readonly #uninvited: UninvitedEnd[] = []
  #child: ChildProcess | undefined
  #invited = false
  #lives = 0
  #life: Promise<void> = Promise.resolve()

  constructor(plan: SupervisedPlan) {
    this.#plan = plan
  }

  get name(): string {
    return this.#plan.name
  }

  get logPath(): string {
    return this.#plan.logPath
  }

  /** Of the process that runs; undefined between two lives. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get lives(): number {
    return this.#lives
  }

  get uninvited(): readonly UninvitedEnd[] {
    return this.#uninvited
  }

  start(): void {
    this.#life = this.#live()
  }

  /** SIGKILL; resolves when it is gone. False when there was none. */
  async kill(): Promise<boolean> {
    const child = this.#child
    if (child === undefined) return false
    this.#invited = true
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    return true
  }

  /** SIGSTOP; resolves when no thread runs any more. False when there was none, or it ended meanwhile. */
  async freeze(): Promise<boolean> {
    const pid = this.#child?.pid
    if (pid === undefined) return false
    return await freezeProcess(pid).then(
      () => true,
      () => false
    )
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    const child = this.#child
    child?.kill('SIGTERM')
    // One that is frozen takes no other.
    child?.kill('SIGCONT')
    const killing = setTimeout(() => child?.kill('SIGKILL'), stopLimitMs)
    await this.#life
    clearTimeout(killing)
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const how = await this.#run()
      if (this.#stopping.signal.aborted) return
      if (!this.#invited) await this.#tellEnd(how)
      await sleep(this.#invited ? restartPauseMs : crashPauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #tellEnd(how: string): Promise<void> {
    const { logPath, name, tell } = this.#plan
    this.#uninvited.push({ name, how })
    const last = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-shownLines)
    const shown = last.map(line => line.slice(0, shownCharacters))
    tell([`${name} ended by itself, ${how}:`, ...shown].join('\n    '))
  }

  async #run(): Promise<string> {
    const { command, env, logPath, watchdog } = this.#plan
    const [program, ...args] = command
    const log = openSync(logPath, 'a')
    this.#invited = false
    this.#lives += 1
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: { ...env } })
    closeSync(log)
    this.#child = child
    const { pid } = child
    if (pid !== undefined) watchdog.add(pid)
    const { promise, resolve } = Promise.withResolvers<string>()
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
    const how = await promise
    this.#child = undefined
    if (pid !== undefined) watchdog.drop(pid)
    return how
  }
}
