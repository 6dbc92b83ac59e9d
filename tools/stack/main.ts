// `npm run stack`: exit codes 0 done, 1 failed, 2 wrong usage, 4 timed out; 130 and 143 when interrupted while starting.

import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, isAlive, pidOf } from '../bootstrap/process-identity.mjs'
import { parseStackCommand, usage, type UpCommand } from './stack-command.ts'
import type { StackEnv } from './stack-env.ts'
import { StackError } from './stack-error.ts'
import { claimName, loadRunning, type PartRecord } from './stack-record.ts'

const downLimitMs = 30_000

async function main(): Promise<number> {
  const command = parseStackCommand(process.argv.slice(2))
  switch (command.kind) {
    case 'help':
      process.stdout.write(usage)
      return 0
    case 'wrong':
      process.stderr.write(`${command.reason}\n\n${usage}`)
      return 2
    case 'up':
      return up(command)
    case 'down':
      return down(command.name, command.json)
    case 'status':
      return status(command.name, command.json)
    case 'env':
      return printEnv(command.name, command.json)
  }
}

async function up({ name, json, ...options }: UpCommand): Promise<number> {
  const interrupted = new AbortController()
  let exitCode = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    // Whoever asks twice does not want to wait; the watchdog ends the servers.
    if (interrupted.signal.aborted) process.exit(1)
    exitCode = signal === 'SIGINT' ? 130 : 143
    process.stderr.write(`${signal}: stopping\n`)
    interrupted.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)

  await using named = await claimName(name, process.env)
  // With the clients of all servers behind it: the other commands are faster without.
  const { startStack } = await import('./start-stack.ts')
  try {
    await using stack = await startStack({ ...options, signal: interrupted.signal })
    await named.write({
      dataDir: stack.dataDir,
      env: stack.env,
      parts: stack.parts.map(part => ({
        name: part.name,
        process: identify(part.pid ?? 0),
        ports: part.ports,
        logPath: part.logPath
      }))
    })
    const addresses = { ...stack.env, ...(stack.proxied && { proxied: stack.proxied }) }
    process.stdout.write(json ? `${JSON.stringify(addresses)}\n` : `${exportLines(stack.env, '')}\n`)
    process.stderr.write(`stack ${name} is up; data and logs in ${stack.dataDir}; Ctrl-C ends it\n`)
    await aborted(AbortSignal.any([interrupted.signal, stack.broken]))
    if (stack.broken.aborted) throw stack.broken.reason
    return 0
  } catch (error) {
    if (interrupted.signal.aborted) return exitCode
    throw error
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}

async function down(name: string, json: boolean): Promise<number> {
  const running = await loadRunning(name, process.env)
  if (running === undefined) return say(json, { name, stopped: false }, `no stack named ${name} is running`)
  process.kill(pidOf(running.owner), 'SIGTERM')
  const limit = performance.now() + downLimitMs
  while (isAlive(running.owner)) {
    if (performance.now() > limit) {
      // Its watchdog ends the servers.
      process.kill(pidOf(running.owner), 'SIGKILL')
      process.stderr.write(`stack ${name} did not stop within ${downLimitMs / 1000} s and was killed\n`)
      return 4
    }
    await sleep(50)
  }
  return say(json, { name, stopped: true }, `stack ${name} is stopped`)
}

async function status(name: string, json: boolean): Promise<number> {
  const running = await loadRunning(name, process.env)
  if (running?.record === undefined) {
    const state = running === undefined ? 'down' : 'starting'
    say(
      json,
      { name, state, parts: [] },
      running === undefined ? `no stack named ${name} is running` : `stack ${name} is starting`
    )
    return 1
  }
  const parts = await Promise.all(running.record.parts.map(describePart))
  const isUp = parts.every(part => part.answers)
  const lines = parts.map(
    ({ name: part, pid, answers, ports }) =>
      `${part.padEnd(10)} ${(answers ? 'answers' : 'does not answer').padEnd(16)} pid ${String(pid).padEnd(8)} ${Object.entries(
        ports
      )
        .map(([what, port]) => `${what} ${port}`)
        .join(', ')}`
  )
  const state = isUp ? 'up' : 'degraded'
  const head = `stack ${name} is ${state} (process ${pidOf(running.owner)}, data in ${running.record.dataDir})`
  const { dataDir, env } = running.record
  say(json, { name, state, pid: pidOf(running.owner), dataDir, env, parts }, [head, ...lines].join('\n'))
  return isUp ? 0 : 1
}

async function describePart({ name, process: identity, ports, logPath }: PartRecord) {
  const answers =
    isAlive(identity) && (await Promise.all(Object.values(ports).slice(0, 1).map(accepts))).every(Boolean)
  return { name, pid: pidOf(identity), answers, ports, logPath }
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = createConnection({ host: '127.0.0.1', port, timeout: 1000 })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  socket.once('timeout', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

async function printEnv(name: string, json: boolean): Promise<number> {
  const running = await loadRunning(name, process.env)
  if (running?.record === undefined) {
    throw new StackError(`no stack named ${name} is up: start it with "npm run stack -- up --name ${name}"`)
  }
  return say(json, running.record.env, exportLines(running.record.env, 'export '))
}

function exportLines(env: StackEnv, prefix: string): string {
  return Object.entries(env)
    .map(([key, value]) => `${prefix}${key}='${String(value).replaceAll("'", String.raw`'\''`)}'`)
    .join('\n')
}

function say(json: boolean, value: object, text: string): number {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`)
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof StackError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
