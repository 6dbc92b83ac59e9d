// Python packages for tests and checks, kept in the cache beside the stack's parts: fetched once for each version of Python.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheRoot, install, stateOf } from './cache.ts'

const run = promisify(execFile)

/** Bytecode that Python writes by itself would make the cache look damaged. */
export const pythonEnv = { PYTHONDONTWRITEBYTECODE: '1', PYTHONNOUSERSITE: '1' }

/**
 * @param pins - all packages by version: what they ask for by themselves moves on.
 * @returns a folder for PYTHONPATH; programs are in its folder `bin`.
 * @throws {Error} which says what to install, unless there is a Python 3 with venv and a way to its packages.
 */
export async function pythonPackages(name: string, pins: readonly string[]): Promise<string> {
  const { stdout } = await python(['-c', 'import sys, venv, ensurepip; print(sys.implementation.cache_tag)'])
  const key = createHash('sha256').update(pins.join()).digest('hex').slice(0, 12)
  const folder = join(cacheRoot(process.env), name, `${stdout.trim()}-${key}`)
  if ((await stateOf(folder)) !== 'intact') await install(folder, scratch => fetchPackages(scratch, pins))
  return folder
}

async function fetchPackages(scratch: string, pins: readonly string[]): Promise<void> {
  // Only for its pip; an environment cannot be moved to its place in the cache, packages in a folder can.
  const venv = join(scratch, 'venv')
  await python(['-m', 'venv', venv])
  const options = '--quiet --disable-pip-version-check --no-deps --only-binary=:all:'.split(' ')
  const inVenv = join(venv, 'bin', 'python')
  await run(inVenv, ['-m', 'pip', 'install', ...options, '--target', scratch, ...pins])
  await rm(venv, { recursive: true })
}

async function python(args: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await run('python3', args)
  } catch (cause) {
    const remedy = 'apt install python3 python3-venv, or what your system calls them'
    throw new Error(`this needs Python 3 with venv: ${remedy}`, { cause })
  }
}
