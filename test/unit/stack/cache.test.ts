import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { install, stateOf } from '../../../tools/stack/cache.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cache-'))
  folder = join(root, 'part-1.0')
})
afterEach(() => rm(root, { recursive: true }))

const fill = (content: string) => (scratch: string) => writeFile(join(scratch, 'server.bin'), content)

test('a folder is intact after it was installed', async () => {
  expect(await stateOf(folder)).toBe('missing')

  await install(folder, fill('whole'))

  expect(await stateOf(folder)).toBe('intact')
})

test('a truncated file makes the folder damaged, and installing again heals it', async () => {
  await install(folder, fill('whole'))
  await truncate(join(folder, 'server.bin'), 2)
  expect(await stateOf(folder)).toBe('damaged')

  await install(folder, fill('whole again'))

  expect(await stateOf(folder)).toBe('intact')
  expect(await readFile(join(folder, 'server.bin'), 'utf8')).toBe('whole again')
})

test('a lost file makes the folder damaged', async () => {
  await install(folder, fill('whole'))

  await rm(join(folder, 'server.bin'))

  expect(await stateOf(folder)).toBe('damaged')
})

test('a build that fails leaves what was there, and no litter', async () => {
  await install(folder, fill('old'))

  await expect(install(folder, () => Promise.reject(new Error('torn')))).rejects.toThrow('torn')

  expect(await stateOf(folder)).toBe('intact')
  expect(await readdir(root)).toEqual(['part-1.0'])
})
