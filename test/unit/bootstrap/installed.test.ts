import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isInstalled, stampInstalled } from '../../../tools/bootstrap/installed.mjs'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'installed-'))
  await mkdir(join(root, 'node_modules'))
})
afterEach(() => rm(root, { recursive: true }))

const one = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }
const two = { ...one, 'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' } }

test('a clone without packages is not installed', async () => {
  await wanted(one)

  expect(await isInstalled(root)).toBe(false)
})

test('an installation that was cut off is not installed, though its stamp is older', async () => {
  await wanted(one)
  await stampInstalled(root)

  expect(await isInstalled(root)).toBe(false)
})

test('a changed lockfile means installing again', async () => {
  await wanted(one)
  await there(one)
  expect(await isInstalled(root)).toBe(true)

  await wanted(two)

  expect(await isInstalled(root)).toBe(false)
})

test('what was installed by hand is taken as it is, when it is what the lockfile says', async () => {
  await wanted(one)
  await there(one)
  await stampInstalled(root)

  await wanted(two)
  await there(two)

  expect(await isInstalled(root)).toBe(true)
})

test('an optional package for another system may be absent', async () => {
  await wanted({
    ...one,
    'node_modules/c-darwin': { version: '1.0.0', integrity: 'sha512-c', optional: true }
  })
  await there(one)

  expect(await isInstalled(root)).toBe(true)
})

const wanted = (packages: object): Promise<void> =>
  write('package-lock.json', { '': { version: '0.1.0' }, ...packages })
const there = (packages: object): Promise<void> => write('node_modules/.package-lock.json', packages)

function write(path: string, packages: object): Promise<void> {
  return writeFile(join(root, path), JSON.stringify({ packages }))
}
