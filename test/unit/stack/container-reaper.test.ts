// With a docker command that writes down how it was called and has one container until it is told to take it down.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openContainerReaper } from '../../support/container-reaper.ts'

let folder = ''
let env: NodeJS.ProcessEnv = {}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointsman-reaper-'))
  await mkdir(join(folder, 'bin'))
  env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }
  await writeFile(join(folder, 'container'), '')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function fakeDocker(onDown = 'rm -f "$FOLDER/container"'): Promise<void> {
  const script = `#!/bin/sh
FOLDER='${folder}'
echo "$*" >>"$FOLDER/calls"
case $1 in
  compose) ${onDown} ;;
  ps) if [ -e "$FOLDER/container" ]; then echo 4f2a; fi ;;
esac
`
  await writeFile(join(folder, 'bin/docker'), script, { mode: 0o755 })
}

const calls = (): Promise<string[]> =>
  readFile(join(folder, 'calls'), 'utf8').then(
    text => text.trimEnd().split('\n'),
    () => []
  )

const down = 'compose --project-name some-tests down --volumes --remove-orphans --timeout 0'
const left = 'ps --all --quiet --filter label=com.docker.compose.project=some-tests'

test('disposing takes the project down with its volumes and looks whether anything is left', async () => {
  await fakeDocker()
  const reaper = openContainerReaper('some-tests', env)
  reaper.isUp()
  expect(await calls()).toEqual([])
  await reaper[Symbol.asyncDispose]()
  expect(await calls()).toEqual([down, left])
})

test('a project that stays is told, with the command that removes it', async () => {
  await fakeDocker('true')
  const reaper = openContainerReaper('some-tests', env)
  reaper.isUp()
  await expect(reaper[Symbol.asyncDispose]()).rejects.toThrow('docker compose -p some-tests down -v')
})

test('an engine that does not answer at the end is told as well', async () => {
  await fakeDocker('true')
  await writeFile(join(folder, 'bin/docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const reaper = openContainerReaper('some-tests', env)
  reaper.isUp()
  await expect(reaper[Symbol.asyncDispose]()).rejects.toThrow('containers of the tests may be left')
})

test('a project whose owner was killed while it came up is taken down until it stays down', async () => {
  await fakeDocker()
  const program = `
    import { openContainerReaper } from ${JSON.stringify(join(import.meta.dirname, '../../support/container-reaper.ts'))}
    openContainerReaper('some-tests')
    process.stdout.write('open')
    setInterval(() => {}, 1000)
  `
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], { env, stdio: 'pipe' })
  await once(owner.stdout, 'data')
  owner.kill('SIGKILL')
  await expect.poll(calls, { timeout: 9000 }).toEqual([down, down, down, down, left])
})
