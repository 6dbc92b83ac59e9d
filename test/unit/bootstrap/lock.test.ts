import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lock, tryLock } from '../../../tools/bootstrap/lock.mjs'
import { identify, isAlive } from '../../../tools/bootstrap/process-identity.mjs'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'))
  path = join(folder, 'deeper/one.lock')
})
afterEach(() => rm(folder, { recursive: true }))

test('one holds it, the next waits until it is given up', async () => {
  const release = await lock(path)
  expect(await tryLock(path)).toBeUndefined()
  const told: string[] = []
  const waiting = lock(path, { onWait: holder => void told.push(holder) })
  await expect.poll(() => told).toEqual([identify(process.pid)])

  await release()

  const second = await waiting
  await second()
  expect(await readdir(join(folder, 'deeper'))).toEqual([])
})

test('of many who ask at once exactly one gets it', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)))

  expect(answers.filter(release => release !== undefined)).toHaveLength(1)
})

test('a holder that was killed holds nothing, and those who see that enter one by one', async () => {
  const { pid } = spawnSync('/bin/true')
  await lock(path).then(release => release())
  await writeFile(path, `${pid}:1`)
  let inside = 0
  let most = 0

  const enter = async (): Promise<void> => {
    const release = await lock(path)
    most = Math.max(most, ++inside)
    await new Promise(resolve => setImmediate(resolve))
    inside--
    await release()
  }
  await Promise.all(Array.from({ length: 6 }, enter))

  expect(most).toBe(1)
})

test('whoever waits can be told to stop waiting', async () => {
  const release = await lock(path)
  const stop = new AbortController()
  const waiting = lock(path, { onWait: () => stop.abort(), signal: stop.signal })

  await expect(waiting).rejects.toThrow('aborted')
  await release()
})

test('a pid that now belongs to another process is not taken for the old one', () => {
  expect(isAlive(identify(process.pid))).toBe(true)
  expect(isAlive(`${process.pid}:1`)).toBe(false)
})

test('a process that has ended but was not waited for is not alive', async () => {
  // The shell's child ends at once, and the shell turns into a sleep that never asks for it.
  const parent = spawn('/bin/sh', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const [line] = await Array.fromAsync(parent.stdout.take(1))
  const pid = Number(String(line))

  await expect.poll(() => isAlive(`${pid}:`)).toBe(false)
  parent.kill('SIGKILL')
})
