// Nobody can run a mutant by mistake: the product has neither flag nor variable nor code for it.
import { execFile } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../../../tools/mutants/root.ts'

const manifests = join(root, 'packages/core/src/adapters/memory/ledger-manifests.ts')
const ask = `
  const { mayRelease } = await import(process.argv[1])
  process.stdout.write(String(mayRelease({ kind: 'manifest', state: 'submitted' })))
`

test('no source of the product names a mutant, a hook of the loader, or a tool', async () => {
  const files = await Array.fromAsync(glob('{packages,services}/*/src/**/*.{ts,js,mjs}', { cwd: root }))
  expect(files.length).toBeGreaterThan(200)
  for (const file of files) {
    expect(await readFile(join(root, file), 'utf8'), file).not.toMatch(/mutant|registerHooks|\/tools\//i)
  }
})

test('the hook plants nothing that its caller does not name, whatever the environment says', async () => {
  const name = 'earlyrelease'
  const env = { ...process.env, MUTANT: name, MUTANTS: name, POINTSMAN_MUTANT: name, POINTSMAN_MUTANTS: name }
  const run = async (...preloaded: readonly string[]): Promise<string> => {
    const imports = preloaded.flatMap(file => ['--import', join(root, 'tools/mutants', file)])
    const args = [...imports, '--input-type=module', '--eval', ask, manifests]
    return (await promisify(execFile)(process.execPath, args, { env })).stdout
  }
  expect(await run()).toBe('false')
  expect(await run('plant-while-loading.ts', 'mutants.ts')).toBe('false')
})
