import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetchArtifacts } from '../../../tools/stack/fetch-artifacts.ts'
import { findJava, type ToolSearch } from '../../../tools/stack/toolchain.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'toolchain-'))
})
afterEach(() => rm(folder, { recursive: true }))

const tenMinutes = (): AbortSignal => AbortSignal.timeout(600_000)

test('a new enough Java elsewhere is found although the default one is too old', async () => {
  await fakeJava('path/java', '17.0.15')
  await fakeJava('jvm/jdk-21/bin/java', '21.0.2')
  await fakeJava('jvm/jdk-25/bin/java', '25')

  const { java } = await findJava(search({ PATH: join(folder, 'path') }))

  expect(java).toEqual({ path: join(folder, 'jvm/jdk-25/bin/java'), major: 25 })
})

test('JAVA_HOME goes before PATH, and PATH before the usual folders', async () => {
  await fakeJava('home/bin/java', '22.0.1')
  await fakeJava('path/java', '23')
  await fakeJava('jvm/jdk-25/bin/java', '25')
  const env = { JAVA_HOME: join(folder, 'home'), PATH: join(folder, 'path') }

  expect((await findJava(search(env))).java?.major).toBe(22)
  expect((await findJava(search({ PATH: env.PATH }))).java?.major).toBe(23)
})

test('what a JDK says of itself in a file is believed without starting it', async () => {
  await script('jvm/jdk-25/bin/java', 'exit 1')
  await writeFile(join(folder, 'jvm/jdk-25/release'), 'IMPLEMENTOR="x"\nJAVA_VERSION="25.0.1"\n')

  expect((await findJava(search({ PATH: '' }))).java?.major).toBe(25)
})

test('a version of the old numbering is not taken for a new one', async () => {
  await fakeJava('jvm/jdk-8/bin/java', '1.8.0_402')

  const { java, tooOld } = await findJava(search({ PATH: '' }))

  expect(java).toBeUndefined()
  expect(tooOld).toEqual([{ path: join(folder, 'jvm/jdk-8/bin/java'), major: 8 }])
})

test('everything that is missing is named at once, with its remedy, before anything is downloaded', async () => {
  await fakeJava('jvm/jdk-17/bin/java', '17.0.15')
  const said: string[] = []
  const output = { isLive: false, write: (text: string) => void said.push(text) }
  const env = { PATH: join(folder, 'empty'), XDG_CACHE_HOME: join(folder, 'cache') }

  const fetching = fetchArtifacts(['kafka', 'weaviate'], { search: search(env), output }, tenMinutes())

  await expect(fetching).rejects.toThrow(
    /JDK of 21 or later \(.*jdk-17.* is 17\).*adoptium[^]*Maven.*apt install maven[^]*Go 1\.26.*go\.dev/
  )
  expect(said).toEqual([])
})

test('an old Go that may not fetch a newer one is refused before anything is downloaded', async () => {
  await fakeJava('jvm/jdk-21/bin/java', '21')
  await script('path/go', "printf 'go1.24.3\\nlocal\\n'")
  const env = { PATH: `${join(folder, 'path')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') }
  const output = { isLive: false, write: () => {} }

  const fetching = fetchArtifacts(['weaviate'], { search: search(env), output }, tenMinutes())

  await expect(fetching).rejects.toThrow(/Go 1\.26 or later \(.*path\/go is go1\.24\.3\)/)
})

function search(env: NodeJS.ProcessEnv): ToolSearch {
  return { env, jvmFolders: [join(folder, 'jvm')] }
}

/** Says its version on standard error, as real ones do. */
function fakeJava(path: string, version: string): Promise<void> {
  return script(path, `echo 'openjdk version "${version}" 2025-04-15' >&2`)
}

async function script(path: string, body: string): Promise<void> {
  const full = join(folder, path)
  await mkdir(join(full, '..'), { recursive: true })
  await writeFile(full, `#!/bin/sh\n${body}\n`)
  await chmod(full, 0o755)
}
