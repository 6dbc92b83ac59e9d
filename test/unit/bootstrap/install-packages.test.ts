// With a made-up npm: what is under test is when it is called, and what is said when it fails.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { installPackages } from '../../../tools/bootstrap/install-packages.mjs'

const packages = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'install-'))
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }))
  vi.stubEnv('npm_execpath', join(root, 'npm.cjs'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

test('missing packages are installed by npm ci, once', async () => {
  await fakeNpm(installing)

  await installPackages(root)
  await installPackages(root)

  expect(await calls()).toEqual(['ci skip'])
})

test('two that find them missing at the same moment do not install over each other', async () => {
  await fakeNpm(installing)

  await Promise.all([installPackages(root), installPackages(root)])

  expect(await calls()).toEqual(['ci skip'])
})

test('an npm that fails is reported with the remedy, and tried again the next time', async () => {
  await fakeNpm('process.exitCode = 7')
  await expect(installPackages(root)).rejects.toThrow(/npm ci ended with 7.*network.*start again/)

  await fakeNpm(installing)
  await installPackages(root)

  expect(await calls()).toEqual(['ci skip', 'ci skip'])
})

const installing = `
  fs.mkdirSync('node_modules', { recursive: true })
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: ${JSON.stringify(packages)} }))`

function fakeNpm(body: string): Promise<void> {
  const call = "fs.appendFileSync('calls', `${process.argv[2]} ${process.env.ONNXRUNTIME_NODE_INSTALL}\\n`)"
  return writeFile(join(root, 'npm.cjs'), `const fs = require('node:fs')\n${call}\n${body}\n`)
}

async function calls(): Promise<string[]> {
  return (await readFile(join(root, 'calls'), 'utf8')).trimEnd().split('\n')
}
