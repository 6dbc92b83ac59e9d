#!/usr/bin/env node
// The command line: speaks REST to the controller, and starts programs that must run on this computer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '@pointsman/core/runtime/clock'
import { ApiClient } from './api-client.ts'
import type { ProcessRunner } from './process-runner.ts'
import { runProgram } from './program.ts'
import { loadRunFile, projectRoot } from './run-file.ts'
import { painter } from './terminal.ts'

const run: ProcessRunner = async (path, args, { env, onLine }) => {
  // The channel tells the child when this process is gone, however it went.
  const child = spawn(process.execPath, [join(projectRoot, path), ...args], {
    stdio: ['inherit', onLine ? 'pipe' : 'inherit', 'inherit', 'ipc'],
    env: { ...env }
  })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGTERM', pass)
  // A terminal sends Ctrl-C to both of us, and a second one would mean impatience.
  if (!process.stdin.isTTY) process.on('SIGINT', pass)
  if (onLine && child.stdout) createInterface({ input: child.stdout }).on('line', onLine)
  const [code]: unknown[] = await once(child, 'close')
  process.off('SIGTERM', pass)
  process.off('SIGINT', pass)
  return typeof code === 'number' ? code : 1
}

const { env, stdout, stderr } = process
const namespace = env['POINTSMAN_NAMESPACE'] ?? 'pointsman'
const runFile = await loadRunFile(namespace)
const url = (env['POINTSMAN_URL'] ?? runFile?.controller ?? 'http://127.0.0.1:7070').replace(/\/+$/, '')
const ownToken = runFile && runFile.controller === url ? runFile.token : undefined
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')))

const manifest: unknown = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
const version =
  typeof manifest === 'object' && manifest !== null ? String(Reflect.get(manifest, 'version')) : ''

// A reader of our output that goes away (head, less) is no error.
stdout.on('error', () => process.exit(0))

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    api: new ApiClient({ url, token: env['POINTSMAN_API_TOKEN'] ?? ownToken }, globalThis.fetch),
    terminal: {
      out: text => void stdout.write(text),
      err: text => void stderr.write(text),
      isLive: stdout.isTTY && stderr.isTTY,
      columns: stdout.columns || 100,
      paint: painter(stdout.isTTY && !env['NO_COLOR'])
    },
    clock: systemClock,
    interrupted: interrupt.signal,
    within: ms => AbortSignal.any([interrupt.signal, AbortSignal.timeout(ms)]),
    run,
    env,
    namespace,
    runFile
  },
  version
)
