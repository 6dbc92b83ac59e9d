// A dockerd of our own: started and ended here, everything of it in one folder of the cache.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { identify, isAlive, pidOf } from '../bootstrap/process-identity.mjs'
import { tryCall } from './call.ts'
import { ComposeError } from './compose-error.ts'

const startLimitMs = 60_000
const stopLimitMs = 60_000
const pollMs = 200
const shownLogLines = 15

export interface OwnEngine {
  readonly log: string
  readonly end: () => Promise<void>
}

export function ownSocket(folder: string): string {
  return `unix://${join(folder, 'docker.sock')}`
}

/** @throws {ComposeError} with the end of its log when it does not come up. */
export async function startEngine(
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<OwnEngine> {
  await mkdir(folder, { recursive: true })
  const log = join(folder, 'dockerd.log')
  const descriptor = openSync(log, 'w')
  const options = {
    host: ownSocket(folder),
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'run'),
    pidfile: join(folder, 'dockerd.pid')
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  // A process group of its own: Ctrl-C is for us, and we end the containers first.
  const child = spawn('dockerd', args, { env, detached: true, stdio: ['ignore', descriptor, descriptor] })
  closeSync(descriptor)
  const failed = once(child, 'error').then(([error]) => String(error))
  const limit = performance.now() + startLimitMs
  const client = { env: { ...env, DOCKER_HOST: ownSocket(folder) } }
  while ((await tryCall('docker', ['info'], client, signal)) === undefined) {
    const refused = await Promise.race([failed, delay(pollMs, undefined, { signal })])
    if (refused === undefined && child.exitCode === null && performance.now() < limit) continue
    await endChild(child)
    throw new ComposeError(
      `no Docker engine can be started here${refused ? `: ${refused}` : ''}\n${await tail(log)}`
    )
  }
  return { log, end: () => endChild(child) }
}

/** What a run that was killed left behind: two engines cannot share the folder. */
export async function endLeftover(folder: string): Promise<void> {
  const path = join(folder, 'dockerd.pid')
  const pid = Number(await readFile(path, 'utf8').catch(() => ''))
  if (pid > 0 && (await isEngineOf(pid, folder))) {
    const leftover = identify(pid)
    process.kill(pidOf(leftover), 'SIGTERM')
    const limit = performance.now() + stopLimitMs
    while (isAlive(leftover) && performance.now() < limit) await delay(pollMs)
    if (isAlive(leftover)) throw new ComposeError(`an engine of an earlier run does not end: process ${pid}`)
  }
  await rm(path, { force: true })
}

/** A pid alone may belong to somebody else by now. */
async function isEngineOf(pid: number, folder: string): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.split('\0').includes(join(folder, 'dockerd.pid'))
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const killing = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await ended
  clearTimeout(killing)
}

async function tail(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return `${text.trimEnd().split('\n').slice(-shownLogLines).join('\n')}\n(${log})`
}
