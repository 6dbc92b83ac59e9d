// What the demonstration reads: the Markdown documentation of the packages that are installed anyway. It is copied
// first, so that it has a root of its own; a file that is there already with the same text stays as it is, and so does
// its time, which is its version.

import { glob, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'

export interface Corpus {
  readonly folder: string
  readonly files: number
}

/** Whose documentation is taken whole; of others only short files, so that the first run takes a minute or two. */
const known = new Set(['commander', 'fast-check', 'fastify', 'ioredis', 'kafkajs', 'pino', 'vitest', 'zod'])
const maxKnownBytes = 128 * 1024
const maxOtherBytes = 16 * 1024
const minBytes = 300

const formalities =
  /^(licen[cs]e|changelog|contributing|security|code.of.conduct|history|changes|authors|upgrading|releases?|governance|sponsors?)\b/i
const asides = /[/\\](node_modules|test|tests|fixtures|__tests__)[/\\]/

/**
 * @param packages - the `node_modules` folder to take it from.
 * @param maxFiles - stop there; for tests.
 */
export async function gatherCorpus(packages: string, folder: string, maxFiles: number): Promise<Corpus> {
  const wanted: string[] = []
  for await (const path of glob('**/*.md', { cwd: packages })) {
    if (await isWanted(packages, path)) wanted.push(path)
  }
  const chosen = new Set(wanted.toSorted().slice(0, maxFiles))
  await mkdir(folder, { recursive: true })
  for (const path of chosen) await copy(join(packages, path), join(folder, path))
  for await (const path of glob('**/*.md', { cwd: folder })) {
    if (!chosen.has(path)) await rm(join(folder, path))
  }
  return { folder, files: chosen.size }
}

async function isWanted(packages: string, path: string): Promise<boolean> {
  const [first = '', name = ''] = path.split(sep)
  const file = path.split(sep).at(-1) ?? ''
  if (asides.test(path) || formalities.test(file)) return false
  const { size } = await stat(join(packages, path)).then(
    found => (found.isFile() ? found : { size: 0 }),
    () => ({ size: 0 })
  )
  const isKnown = known.has(first.startsWith('@') ? `${first}/${name}` : first)
  return size >= minBytes && size <= (isKnown ? maxKnownBytes : maxOtherBytes)
}

async function copy(from: string, to: string): Promise<void> {
  const text = await readFile(from)
  const present = await readFile(to).catch(() => undefined)
  if (present?.equals(text)) return
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, text)
}
