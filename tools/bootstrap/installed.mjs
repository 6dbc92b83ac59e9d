// Whether node_modules holds what package-lock.json says. Plain JavaScript: it runs before anything is installed.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const stampName = '.pointsman-installed'

/** Reads two small files in the usual case; compares package by package after an `npm install` by hand. */
export async function isInstalled(root) {
  const modules = join(root, 'node_modules')
  const wanted = await readFile(join(root, 'package-lock.json'))
  const stamp = await readFile(join(modules, stampName), 'utf8').catch(() => '')
  // npm writes this one last, so a torn installation has none.
  const found = await readFile(join(modules, '.package-lock.json'), 'utf8').catch(() => undefined)
  if (found === undefined) return false
  if (stamp === hashOf(wanted)) return true
  if (!holdsAll(JSON.parse(wanted).packages, JSON.parse(found).packages)) return false
  await stampInstalled(root)
  return true
}

export async function stampInstalled(root) {
  const wanted = await readFile(join(root, 'package-lock.json'))
  await writeFile(join(root, 'node_modules', stampName), hashOf(wanted))
}

function holdsAll(wanted, found) {
  return Object.entries(wanted).every(([path, { version, resolved, integrity, optional, link }]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true
    const there = found[path]
    if (there === undefined) return optional === true
    return link === true
      ? there.resolved === resolved
      : there.version === version && there.integrity === integrity
  })
}

function hashOf(content) {
  return createHash('sha256').update(content).digest('hex')
}
