// Runs a TypeScript program on the pinned Node from node_modules, as if it were this process: same input and output,
// same exit, signals passed on, and no program left behind when this process is gone. Plain JavaScript for any Node >= 18.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from './install-packages.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const oldestNode = 18
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']

// A terminal sends Ctrl-C to everybody in the foreground, and npm passes its own on: we may get one key press twice.
const samePressMs = 300

const parentPollMs = 500

/**
 * @param script - path from the root of the project.
 * @param readsTerminal - it asks questions, so it must stay in the terminal's foreground; Ctrl-C then reaches it directly.
 * @returns the exit code for this process.
 */
export async function runPinned(script, args, { readsTerminal = false } = {}) {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    return fail(`Node ${oldestNode} or later is needed to begin with; this is ${process.versions.node}`)
  }
  try {
    await installPackages(root)
  } catch (error) {
    return fail(error.message)
  }
  const inForeground = readsTerminal && process.stdin.isTTY === true
  const bin = join(root, 'node_modules/.bin')
  const entry = join(root, 'tools/bootstrap/run-program.mjs')
  const child = spawn(join(bin, 'node'), [entry, join(root, script), ...args], {
    detached: !inForeground,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  })
  forwardSignals(child, inForeground)
  endWithNpm(child)
  return new Promise(resolve => {
    child.once('error', error =>
      resolve(fail(`cannot start the pinned Node: ${error.message}; run "npm ci"`))
    )
    child.once('exit', (code, killedBy) => resolve(code ?? 128 + constants.signals[killedBy]))
  })
}

function forwardSignals(child, inForeground) {
  let last = { signal: '', at: 0 }
  for (const signal of forwarded) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && inForeground) return
      const now = Date.now()
      if (last.signal === signal && now - last.at < samePressMs) return
      last = { signal, at: now }
      child.kill(signal)
    })
  }
}

/** npm runs us through a shell: a SIGTERM to npm ends that shell and never reaches us. */
function endWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    child.kill('SIGTERM')
  }, parentPollMs)
  timer.unref()
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  return 1
}
