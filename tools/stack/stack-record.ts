// What a named stack wrote down about itself, so that `down`, `status` and `env` find it. The lock beside it is held by
// the running process alone: a record whose holder is gone was left by one that was killed, and counts for nothing.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { holderOf, tryLock } from '../bootstrap/lock.mjs'
import { isAlive, pidOf } from '../bootstrap/process-identity.mjs'
import type { StackEnv } from './stack-env.ts'
import { StackError } from './stack-error.ts'

export interface StackRecord {
  readonly dataDir: string
  readonly env: StackEnv
  readonly parts: readonly PartRecord[]
}

export interface PartRecord {
  readonly name: string
  /** As of process-identity.mjs. */
  readonly process: string
  readonly ports: Readonly<Record<string, number>>
  readonly logPath: string
}

export interface RunningStack {
  /** The process that holds it, as of process-identity.mjs. */
  readonly owner: string
  /** Undefined while it starts. */
  readonly record: StackRecord | undefined
}

export interface NamedStack extends AsyncDisposable {
  write(record: StackRecord): Promise<void>
}

/** @throws {StackError} while another process runs a stack of this name. */
export async function claimName(name: string, env: NodeJS.ProcessEnv): Promise<NamedStack> {
  const path = pathOf(name, env)
  const release = await tryLock(`${path}.lock`)
  if (release === undefined) {
    const owner = pidOf((await holderOf(`${path}.lock`)) ?? '')
    throw new StackError(
      `a stack named ${name} is already running (process ${owner}): stop it with "npm run stack -- down --name ${name}", or give another --name`
    )
  }
  await rm(path, { force: true })
  return {
    async write(record) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(`${path}.new`, JSON.stringify(record, undefined, 2))
      await rename(`${path}.new`, path)
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true })
      await release()
    }
  }
}

export async function loadRunning(name: string, env: NodeJS.ProcessEnv): Promise<RunningStack | undefined> {
  const path = pathOf(name, env)
  const owner = await holderOf(`${path}.lock`)
  if (owner === undefined || !isAlive(owner)) return undefined
  const text = await readFile(path, 'utf8').catch(() => undefined)
  // Written by this very program, and by a process that still runs.
  const record: StackRecord | undefined = text === undefined ? undefined : JSON.parse(text)
  return { owner, record }
}

function pathOf(name: string, env: NodeJS.ProcessEnv): string {
  const state = env['XDG_STATE_HOME'] || join(homedir(), '.local/state')
  return join(state, 'pointsman/stacks', `${name}.json`)
}
