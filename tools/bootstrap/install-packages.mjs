// Runs `npm ci` once, however many ask for it at the same moment. Plain JavaScript: it runs before anything is installed.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { isInstalled, stampInstalled } from './installed.mjs'
import { handOver, lock } from './lock.mjs'

const sayMs = 10_000
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @throws {Error} whose message is for people. */
export async function installPackages(root) {
  if (await isInstalled(root)) return
  // Not inside node_modules: npm ci removes that.
  const lockPath = join(root, '.pointsman', 'npm-ci.lock')
  const release = await lock(lockPath, {
    onWait: () => say('another process is installing the packages; waiting for it')
  })
  try {
    if (await isInstalled(root)) return
    await npmCi(root, lockPath)
    await stampInstalled(root)
    if (!(await isInstalled(root)))
      throw new Error('npm ci left node_modules incomplete: run "npm ci" and see what it says')
  } finally {
    await release()
  }
}

async function npmCi(root, lockPath) {
  say('installing the packages and the pinned Node (npm ci, usually about 30 s)')
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1000)
  const timer = setInterval(() => say(`still installing the packages (${seconds()} s)`), sayMs)
  // The npm that runs us, or else the one on the PATH.
  const npm = process.env.npm_execpath
  const isScript = npm !== undefined && /[/\\]npm(-cli)?\.c?js$/.test(npm)
  const file = isScript ? process.execPath : 'npm'
  const args = [
    ...(isScript ? [npm] : []),
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error'
  ]
  const child = spawn(file, args, {
    cwd: root,
    // Its own download, a GPU library of some hundred megabytes, is not wanted and fails behind many proxies.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    // Nothing but the result belongs on standard output.
    stdio: ['ignore', 2, 2]
  })
  const pass = signal => child.kill(signal)
  for (const signal of passedOn) process.on(signal, pass)
  try {
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve(killedBy ?? code))
    })
    // It goes on when we are killed; nobody else may start meanwhile.
    if (child.pid !== undefined) await handOver(lockPath, child.pid)
    const outcome = await ended.catch(error => {
      throw new Error(`cannot run npm (${error.message}): install Node with npm from https://nodejs.org`)
    })
    if (outcome !== 0) {
      throw new Error(
        `npm ci ended with ${outcome}; its messages are above. Check the network and the registry ("npm ping"), ` +
          'remove node_modules if it was made by another system, and start again.'
      )
    }
  } finally {
    clearInterval(timer)
    for (const signal of passedOn) process.off(signal, pass)
  }
  say(`packages installed after ${seconds()} s`)
}

function say(text) {
  process.stderr.write(`${text}\n`)
}
