// The official Python package, kept in the cache beside the stack's parts: fetched once for each version of Python.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheRoot, install, stateOf } from '../../tools/stack/cache.ts'

const run = promisify(execFile)

/** All of it by version: what it asks for by itself moves on. */
const pins = [
  'openai==3.54.0',
  'annotated-types==0.8.0',
  'anyio==4.16.0',
  'h11==0.16.0',
  'httpcore2==2.16.2',
  'httpx2==2.16.2',
  'idna==3.20',
  'jiter==0.19.0',
  'pydantic==2.14.3',
  'pydantic_core==2.50.4',
  'sniffio==1.3.1',
  'truststore==0.10.5',
  'typing-inspection==0.4.5',
  'typing_extensions==4.16.0'
]

/** @throws {Error} which says what to install, unless there is a Python 3 with venv and a way to its packages. */
export async function openaiPythonPath(): Promise<string> {
  const { stdout } = await python(['-c', 'import sys, venv, ensurepip; print(sys.implementation.cache_tag)'])
  const key = createHash('sha256').update(pins.join()).digest('hex').slice(0, 12)
  const folder = join(cacheRoot(process.env), 'openai-python', `${stdout.trim()}-${key}`)
  if ((await stateOf(folder)) !== 'intact') await install(folder, fetchPackages)
  return folder
}

/** @returns what it printed. */
export async function runPython(
  script: string,
  pythonPath: string,
  env: Readonly<Record<string, string>>
): Promise<string> {
  // Bytecode that it writes by itself would make the cache look damaged.
  const ours = { PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1', PYTHONNOUSERSITE: '1' }
  const { stdout } = await run('python3', [script], { env: { ...process.env, ...ours, ...env } })
  return stdout
}

async function fetchPackages(scratch: string): Promise<void> {
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
    throw new Error(`this test needs Python 3 with venv: ${remedy}`, { cause })
  }
}
