import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Spool } from '@pointsman/core/adapters/openai/spool'
import { onTestFinished, expect, test } from 'vitest'

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-spool-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('makes its directory, and files that are gone when they are disposed of', async () => {
  const directory = path.join(await newDirectory(), 'deep', 'down')
  const spool = await Spool.open(directory)
  {
    await using file = await spool.create()
    await file.handle.writeFile('something')
    expect(await readdir(directory)).toEqual([path.basename(file.path)])
  }
  expect(await readdir(directory)).toEqual([])
})

test('removes what dead processes left, and nothing else', async () => {
  const directory = await newDirectory()
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const neighbour = await Spool.open(directory)
  await using alive = await neighbour.create()
  const ofDead = `pointsman-${dead}-0011aabb-1.jsonl`
  const ofFormerLife = `pointsman-${process.pid}-00000000-1.jsonl`
  const ofParent = `pointsman-${process.ppid}-0011aabb-1.jsonl`
  const foreign = 'notes.jsonl'
  for (const name of [ofDead, ofFormerLife, ofParent, foreign])
    await writeFile(path.join(directory, name), 'x')

  await Spool.open(directory)
  expect((await readdir(directory)).toSorted()).toEqual(
    [path.basename(alive.path), ofParent, foreign].toSorted()
  )
})

test('makes a directory again that vanished', async () => {
  const directory = await newDirectory()
  const spool = await Spool.open(directory)
  await using open = await spool.create()
  await rm(directory, { recursive: true })

  await open.handle.writeFile('still there')
  await spool.check()
  await using file = await spool.create()
  expect(existsSync(file.path)).toBe(true)
})

test('checks the disk without leaving anything', async () => {
  const directory = await newDirectory()
  const spool = await Spool.open(directory)
  await expect(spool.check()).resolves.toBeUndefined()
  expect(await readdir(directory)).toEqual([])
})

test('says what is wrong with a directory that cannot be used', async () => {
  const directory = path.join(await newDirectory(), 'spool')
  const spool = await Spool.open(directory)
  await rm(directory, { recursive: true })
  await writeFile(directory, 'a file is in the way')

  const unavailable = { code: 'SPOOL_UNAVAILABLE', message: expect.stringContaining(directory) }
  await expect(spool.create()).rejects.toMatchObject(unavailable)
  await expect(spool.check()).rejects.toMatchObject(unavailable)
  await expect(Spool.open(directory)).rejects.toMatchObject(unavailable)
})

test('passes on what is not about the disk', async () => {
  const spool = await Spool.open(await newDirectory())
  const reason = new Error('stopping')
  await expect(spool.guard(() => Promise.reject(reason))).rejects.toBe(reason)
})
