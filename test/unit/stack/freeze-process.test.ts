import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { freezeProcess } from '../../../tools/stack/freeze-process.ts'

/** A process whose first thread, which the signal is for, sleeps, while three others write for a minute at most. */
const writers = `
  import { writeSync, openSync } from 'node:fs'
  import { isMainThread, Worker } from 'node:worker_threads'
  if (isMainThread) {
    for (let count = 0; count < 3; count++) new Worker(import.meta.filename, { argv: process.argv.slice(2) })
  } else {
    const file = openSync(process.argv[2], 'a')
    for (const end = Date.now() + 60_000; Date.now() < end; ) writeSync(file, '.')
  }
`

test('a frozen process does nothing more, with none of its threads, until it goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freeze-'))
  const written = join(folder, 'written')
  const script = join(folder, 'writers.mjs')
  // At once, not when our own event loop comes to it: a thread that goes on does so for milliseconds only.
  const size = (): number => statSync(written, { throwIfNoEntry: false })?.size ?? 0
  await writeFile(script, writers)
  const child = spawn(process.execPath, [script, written], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  try {
    for (let round = 0; round < 10; round++) {
      const before = size()
      await vi.waitUntil(() => size() > before, { timeout: 5_000, interval: 5 })
      await freezeProcess(child.pid ?? 0)
      const frozen = size()
      for (let look = 0; look < 10_000; look++) expect(size()).toBe(frozen)
      child.kill('SIGCONT')
    }
  } finally {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true })
  }
})

test('a process that has ended is not frozen', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  await expect(freezeProcess(child.pid ?? 0)).rejects.toThrow('ESRCH')
  await expect(freezeProcess(0)).rejects.toThrow('there is no process to freeze')
})
