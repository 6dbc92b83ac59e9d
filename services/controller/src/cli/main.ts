#!/usr/bin/env node
// The command line: speaks REST to the controller, and starts programs that must run on this computer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@pointsman/core/runtime/clock'
import { ApiClient } from './api-client.ts'
import { confirmAt } from './confirm.ts'
import { runProgram } from './program.ts'
import { programRunner } from './run-program.ts'
import { loadRunFile, projectRoot } from './run-file.ts'
import { painter } from './terminal.ts'

const { env, stdout, stderr } = process
const namespace = env['POINTSMAN_NAMESPACE'] ?? 'pointsman'
const running = await loadRunFile(namespace)
const url = (env['POINTSMAN_URL'] ?? running?.controller ?? 'http://127.0.0.1:7070').replace(/\/+$/, '')
// Another controller has other servers and another token.
const runFile = running?.controller === url ? running : undefined
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
    api: new ApiClient({ url, token: env['POINTSMAN_API_TOKEN'] ?? runFile?.token }, globalThis.fetch),
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
    run: programRunner(process),
    confirm: confirmAt(process, interrupt.signal),
    env,
    namespace,
    runFile
  },
  version
)
