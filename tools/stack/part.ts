// One server of a stack as a process of its own.
//
//   S1  Started means ready: a real question was answered.
//   S2  It ends with us: the watchdog knows its pid from the moment there is one until it has ended.
//   S3  Ports and data folder stay the same over kill, stop and restart.

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { freezeProcess } from './freeze-process.ts'
import { isFree } from './ports.ts'
import { StackError } from './stack-error.ts'
import { waitUntilReady } from './wait-until-ready.ts'
import type { Watchdog } from './watchdog.ts'

export const partNames = ['kafka', 'registry', 'redis', 'weaviate', 'toxiproxy'] as const
export type PartName = (typeof partNames)[number]

/** How to run one server. */
export interface PartPlan {
  readonly name: PartName
  /** Each under the name that a message gives it. */
  readonly ports: Readonly<Record<string, number>>
  readonly file: string
  readonly args: readonly string[]
  /** All it gets beside PATH, HOME and TMPDIR: what happens to be set here must not change it. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Before every start. */
  readonly prepare: (signal: AbortSignal) => Promise<void>
  /** Throws unless a real question is answered, and removes what it asked with. */
  readonly probe: (signal: AbortSignal) => Promise<void>
}

/** What tests and tools may do to a running server. */
export interface PartHandle {
  readonly name: PartName
  /** Of the running process; undefined while there is none. */
  readonly pid: number | undefined
  readonly ports: Readonly<Record<string, number>>
  readonly logPath: string
  /** Starts it where it was, on the same ports and data, ending it first if it runs; resolves when it is ready. */
  restart(signal?: AbortSignal): Promise<void>
  /** Asks it to end (SIGTERM), and kills it when it does not. */
  stop(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP; resolves when it has stopped: its connections stay open and nothing answers. */
  freeze(): Promise<void>
  resume(): void
}

// Five seconds on an idle computer. One that ends while starting is noticed at once; this is for one that hangs.
const readyLimitMs = 120_000
const stopLimitMs = 10_000
const shownLogLines = 25

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<string>
}

export interface PartDeps {
  readonly watchdog: Watchdog
  readonly logPath: string
  /** It ended although nobody asked it to. */
  readonly onUninvitedEnd: (problem: StackError) => void
}

export class Part implements PartHandle {
  readonly #plan: PartPlan
  readonly #deps: PartDeps
  #running: Running | undefined
  #invited = false

  constructor(plan: PartPlan, deps: PartDeps) {
    this.#plan = plan
    this.#deps = deps
  }

  get name(): PartName {
    return this.#plan.name
  }

  get ports(): Readonly<Record<string, number>> {
    return this.#plan.ports
  }

  get pid(): number | undefined {
    return this.#running?.pid
  }

  get logPath(): string {
    return this.#deps.logPath
  }

  /** @throws {StackError} with the reason as far as it is known: port, exit, last lines of the log. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#requirePorts()
    await mkdir(dirname(this.logPath), { recursive: true })
    await this.#plan.prepare(signal)
    signal.throwIfAborted()
    const running = this.#spawn()
    const early = this.#abortedAtEnd(running, 'starting')
    try {
      await waitUntilReady(this.#plan.probe, readyLimitMs, AbortSignal.any([signal, early]))
    } catch (error) {
      await this.kill()
      if (signal.aborted) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new StackError(`${this.name} did not become ready: ${why}\n${await this.#logTail()}`, {
        cause: error
      })
    }
  }

  async restart(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await this.stop()
    await this.start(signal)
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#invited = true
    running.child.kill('SIGTERM')
    running.child.kill('SIGCONT')
    const killing = setTimeout(() => running.child.kill('SIGKILL'), stopLimitMs)
    await running.ended
    clearTimeout(killing)
  }

  async kill(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#invited = true
    running.child.kill('SIGKILL')
    await running.ended
  }

  async freeze(): Promise<void> {
    const running = this.#running
    if (running === undefined) throw new StackError(`${this.name} cannot be frozen: it does not run`)
    await freezeProcess(running.pid, this.#abortedAtEnd(running, 'being frozen'))
  }

  resume(): void {
    this.#running?.child.kill('SIGCONT')
  }

  #abortedAtEnd(running: Running, doing: string): AbortSignal {
    const early = new AbortController()
    void running.ended.then(how => early.abort(new StackError(`${this.name} ended while ${doing}: ${how}`)))
    return early.signal
  }

  #spawn(): Running {
    const { file, args, env, cwd } = this.#plan
    const log = openSync(this.logPath, 'a')
    const { PATH = '', HOME = '/', TMPDIR = '/tmp' } = process.env
    // A process group of its own: a Ctrl-C in the terminal is for us, and we end the servers in order.
    const child = spawn(file, args, {
      cwd,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH, HOME, TMPDIR, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env }
    })
    closeSync(log)
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, killedBy) => resolve(killedBy === null ? `exit code ${code}` : killedBy))
    const running: Running = { child, pid: child.pid ?? 0, ended }
    if (child.pid !== undefined) this.#deps.watchdog.add(child.pid) // S2
    this.#running = running
    this.#invited = false
    void ended.then(how => this.#onEnd(running, how))
    return running
  }

  #onEnd(running: Running, how: string): void {
    if (running.pid !== 0) this.#deps.watchdog.drop(running.pid)
    if (this.#running === running) this.#running = undefined
    if (!this.#invited)
      this.#deps.onUninvitedEnd(new StackError(`${this.name} ended by itself: ${how}; see ${this.logPath}`))
  }

  async #requirePorts(): Promise<void> {
    for (const [what, port] of Object.entries(this.ports)) {
      if (await isFree(port)) continue
      throw new StackError(`${this.name}: port ${port} (${what}) is already in use by another program`)
    }
  }

  async #logTail(): Promise<string> {
    const log = await readFile(this.logPath, 'utf8').catch(() => '')
    return `${log.trimEnd().split('\n').slice(-shownLogLines).join('\n')}\n(${this.logPath})`
  }
}
