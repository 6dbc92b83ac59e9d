import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pythonEnv, pythonPackages } from '../../tools/stack/python-packages.ts'

const run = promisify(execFile)

const pins = [
  'anyio==4.16.0',
  'certifi==2026.10.18',
  'charset-normalizer==3.5.2',
  'click==8.5.1',
  'graphql-core==3.3.2',
  'harfile==0.6.0',
  'hypothesis==6.170.15',
  'hypothesis-graphql==0.13.5',
  'idna==3.20',
  'iniconfig==2.3.1',
  'jsonschema_rs==0.60.3',
  'markdown-it-py==4.3.0',
  'MarkupSafe==3.0.4',
  'mdurl==0.1.2',
  'packaging==26.3',
  'pluggy==1.7.0',
  'Pygments==2.21.0',
  'pyrate-limiter==4.5.1',
  'pytest==9.2.0',
  'PyYAML==6.0.3',
  'requests==2.34.2',
  'rich==15.0.0',
  'schemathesis==4.32.5',
  'sortedcontainers==2.4.0',
  'typing_extensions==4.16.0',
  'urllib3==2.8.0',
  'Werkzeug==3.1.9'
]

export async function schemathesisPath(): Promise<string> {
  return await pythonPackages('schemathesis', pins)
}

export interface FuzzOptions {
  /** Of the OpenAPI document. */
  readonly url: string
  readonly token: string
  readonly seed: number
  /** At most, for each call and phase. */
  readonly examples: number
}

/**
 * Asks every call of an OpenAPI document for what it allows and for what it does not, with every check.
 * @returns what it printed, and whether it found nothing.
 */
export async function fuzz(
  pythonPath: string,
  { url, token, seed, examples }: FuzzOptions
): Promise<{ readonly report: string; readonly isClean: boolean }> {
  // What it finds, it keeps for the next run: this one is to depend on its seed alone.
  const cwd = await mkdtemp(join(tmpdir(), 'schemathesis-'))
  // Without site: only what is pinned, and nothing that changes it (some put certificates into the files of certifi).
  const args = ['-S', '-m', 'schemathesis.cli', 'run', url, '--checks', 'all', '--seed', String(seed)]
  // It reads the id of the ledger elsewhere and has it rebuilt: then everything else is rightly refused for a while.
  const left = ['--exclude-path', '/v1/ledger/rebuild']
  const bounds = ['--max-examples', String(examples), '--continue-on-failure', '--no-color']
  const auth = ['--header', `Authorization: Bearer ${token}`]
  const env = { ...process.env, ...pythonEnv, PYTHONPATH: pythonPath, NO_PROXY: '127.0.0.1' }
  try {
    const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 }
    const { stdout } = await run('python3', [...args, ...left, ...bounds, ...auth], options)
    return { report: stdout, isClean: true }
  } catch (error) {
    // Found something, or could not run: it says which.
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) throw error
    return { report: `${String(error.stdout)}${String(error.stderr)}`, isClean: false }
  } finally {
    await rm(cwd, { recursive: true })
  }
}
