// The entry of every program that run-pinned.mjs starts: loads the program as if it had been started itself. File
// descriptor 3 is a pipe from the starter: its end means that the starter is gone, perhaps by kill -9, and nobody is
// left who could stop this program. An entry and not a preload: that would be inherited by workers and forks.

import { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'

const patienceMs = 30_000

const starter = new Socket({ fd: 3, readable: true, writable: false })
starter.on('error', () => {})
starter.on('close', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), patienceMs).unref()
})
starter.resume()
starter.unref()

process.argv.splice(1, 1)
await import(pathToFileURL(process.argv[1]).href)
