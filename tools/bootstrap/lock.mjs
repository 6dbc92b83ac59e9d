// One holder at a time among the processes of this computer, by a file. The file appears whole (it is linked into
// place with its holder's identity in it), and a holder that died, however it died, holds nothing.

import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify, isAlive } from './process-identity.mjs'

const pollMs = 200

// Breaking a dead holder's lock takes microseconds: a mark this old was left by somebody killed in the middle.
const staleBreakMs = 10_000

/** Resolves to a function that gives the lock up, or to undefined while another process holds it. */
export async function tryLock(path) {
  await mkdir(dirname(path), { recursive: true })
  const own = `${path}.${process.pid}.${randomUUID()}`
  await writeFile(own, identify(process.pid))
  try {
    if (!(await linked(own, path))) {
      if (!(await breakDeadLock(path)) || !(await linked(own, path))) return undefined
    }
    return () => rm(path, { force: true })
  } finally {
    await rm(own, { force: true })
  }
}

/** Waits for its turn. `onWait` is told once, with the holder's identity, when there is something to wait for. */
export async function lock(path, { onWait, signal } = {}) {
  let told = false
  for (;;) {
    signal?.throwIfAborted()
    const release = await tryLock(path)
    if (release !== undefined) return release
    if (!told) onWait?.((await holderOf(path)) ?? '')
    told = true
    await sleep(pollMs, undefined, { signal })
  }
}

/** From now on the lock is held as long as the process `pid` lives: for work that may outlive its starter. */
export async function handOver(path, pid) {
  const next = `${path}.${process.pid}.${randomUUID()}`
  await writeFile(next, identify(pid))
  await rename(next, path)
}

/** The identity of whoever holds the lock, alive or not. */
export async function holderOf(path) {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

async function linked(own, path) {
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

// Two who see the same dead holder must not remove each other's fresh lock: only one may break, and it looks again.
async function breakDeadLock(path) {
  const seen = await holderOf(path)
  if (seen === undefined) return true
  if (isAlive(seen)) return false
  const mark = `${path}.breaking`
  try {
    await writeFile(mark, '', { flag: 'wx' })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    const age = await stat(mark).then(
      found => Date.now() - found.mtimeMs,
      () => 0
    )
    if (age > staleBreakMs) await rm(mark, { force: true })
    return false
  }
  try {
    if ((await holderOf(path)) === seen) await rm(path, { force: true })
    return true
  } finally {
    await rm(mark, { force: true })
  }
}
