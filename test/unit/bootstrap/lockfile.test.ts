import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >
}

test('the lockfile names the optional packages of every platform: npm ci refuses one that does not', async () => {
  const { packages }: Lockfile = JSON.parse(await readFile('package-lock.json', 'utf8'))

  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages)
    )
  )

  expect(missing).toEqual([])
})
