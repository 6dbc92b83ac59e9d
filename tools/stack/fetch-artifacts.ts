// Brings the cache to the point where the stack can start: nothing is downloaded before it is known that every tool
// is there, one process fetches while others wait, and what is damaged is fetched again.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lock } from '../bootstrap/lock.mjs'
import { artifacts, type ArtifactName, type Fetcher } from './artifacts.ts'
import { cacheRoot, install, stateOf } from './cache.ts'
import { oldestJava } from './pins.ts'
import { openProgress, type ProgressOutput } from './progress.ts'
import { StackError } from './stack-error.ts'
import { findJava, onPath, type ToolSearch } from './toolchain.ts'

const run = promisify(execFile)

/** What Weaviate's go.mod asks for; since 1.21 an older Go fetches a newer one, unless told to stay local. */
const goWanted = 26
const goThatUpgrades = 21

export interface FetchOptions {
  readonly search: ToolSearch
  readonly output: ProgressOutput
}

export interface Fetched {
  readonly java: string
  readonly redisServer: string
  readonly folderOf: (name: ArtifactName) => string
}

/**
 * @param needed - parts of the cache that must be there.
 * @throws {StackError} naming every missing tool at once, with its remedy, before anything is downloaded.
 */
export async function fetchArtifacts(
  needed: readonly ArtifactName[],
  { search, output }: FetchOptions,
  signal: AbortSignal
): Promise<Fetched> {
  const root = cacheRoot(search.env)
  const folderOf = (name: ArtifactName): string => join(root, artifacts[name].folder)
  const installedRedis = await onPath('redis-server', search.env)
  const wanted = needed.filter(name => name !== 'redis' || installedRedis === undefined)

  const tools = await requireTools(await absentOf(wanted, folderOf), needed, search)
  if ((await absentOf(wanted, folderOf)).length > 0) {
    const onWait = (): void => output.write('another process is fetching; waiting for it\n')
    const release = await lock(join(root, 'fetch.lock'), { onWait, signal })
    try {
      await fetchAll(await absentOf(wanted, folderOf), folderOf, tools, output, signal)
    } finally {
      await release()
    }
  }
  return {
    java: tools.java,
    redisServer: installedRedis ?? join(folderOf('redis'), 'redis-server'),
    folderOf
  }
}

async function absentOf(
  names: readonly ArtifactName[],
  folderOf: (name: ArtifactName) => string
): Promise<ArtifactName[]> {
  const states = await Promise.all(names.map(name => stateOf(folderOf(name))))
  return names.filter((_, index) => states[index] !== 'intact')
}

interface Tools {
  readonly java: string
  readonly maven: string
  readonly go: string
  readonly env: NodeJS.ProcessEnv
}

async function requireTools(
  absent: readonly ArtifactName[],
  needed: readonly ArtifactName[],
  search: ToolSearch
): Promise<Tools> {
  const needs = (tool: 'maven' | 'go'): boolean => absent.some(name => artifacts[name].tool === tool)
  const needsJava = needed.includes('kafka') || needed.includes('registry') || needs('maven')
  const [{ java, tooOld }, maven, go] = await Promise.all([
    needsJava ? findJava(search) : { java: undefined, tooOld: [] },
    onPath('mvn', search.env),
    onPath('go', search.env)
  ])
  const problems: string[] = []
  if (needsJava && java === undefined) {
    const found = tooOld.map(({ path, major }) => `${path} is ${major}`).join(', ')
    problems.push(
      `a JDK of ${oldestJava} or later (${found === '' ? 'no Java found' : found}): install one, e.g. ` +
        `"apt install openjdk-21-jdk-headless" or https://adoptium.net, or set JAVA_HOME to it`
    )
  }
  if (needs('maven') && maven === undefined) {
    problems.push(
      'Maven (no mvn on the PATH): install it, e.g. "apt install maven" or https://maven.apache.org'
    )
  }
  if (needs('go')) {
    const problem = go === undefined ? 'no go on the PATH' : await whyGoIsTooOld(go, search.env)
    if (problem !== undefined)
      problems.push(`Go 1.${goWanted} or later (${problem}): install it from https://go.dev/dl`)
  }
  if (absent.includes('redis') && (process.platform !== 'linux' || process.arch !== 'x64')) {
    problems.push(
      'Redis (no redis-server on the PATH): install it, e.g. "apt install redis-server" or "brew install redis"'
    )
  }
  if (problems.length > 0) {
    throw new StackError(`missing on this computer:\n${problems.map(problem => `  - ${problem}`).join('\n')}`)
  }
  return {
    java: java?.path ?? '',
    maven: maven ?? '',
    go: go ?? '',
    env: await envForMaven(search, java?.path)
  }
}

async function whyGoIsTooOld(go: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { stdout } = await run(go, ['env', 'GOVERSION', 'GOTOOLCHAIN'], { env })
  const [version = '', toolchain = ''] = stdout.split('\n')
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0)
  if (minor >= goWanted) return undefined
  if (minor >= goThatUpgrades && toolchain !== 'local') return undefined
  return `${go} is ${version}`
}

/** Maven keeps the Java it is used to, which may be set up for a proxy; it gets ours only where it has none. */
async function envForMaven({ env }: ToolSearch, java: string | undefined): Promise<NodeJS.ProcessEnv> {
  if (env['JAVA_HOME'] || java === undefined || (await onPath('java', env)) !== undefined) return env
  return { ...env, JAVA_HOME: join(java, '../..') }
}

async function fetchAll(
  names: readonly ArtifactName[],
  folderOf: (name: ArtifactName) => string,
  tools: Tools,
  output: ProgressOutput,
  signal: AbortSignal
): Promise<void> {
  const progress = openProgress(output)
  const oneFailed = new AbortController()
  const stop = AbortSignal.any([signal, oneFailed.signal])

  const fetchOne = async (name: ArtifactName): Promise<void> => {
    const { title, estimateMs, build } = artifacts[name]
    const task = progress.begin(title, estimateMs)
    const fetcher = (freshRepository: boolean): Fetcher => ({
      maven: { path: tools.maven, env: tools.env },
      go: { path: tools.go, env: tools.env },
      freshRepository,
      reach: fraction => task.reach(fraction)
    })
    const attempt = (fresh: boolean): Promise<void> =>
      install(folderOf(name), scratch => build(scratch, fetcher(fresh), stop))
    try {
      await attempt(false).catch(async (error: unknown) => {
        if (stop.aborted) throw error
        output.write(`fetching ${title} again: ${firstLine(error)}\n`)
        await attempt(true)
      })
      task.done()
    } catch (error) {
      task.failed()
      oneFailed.abort()
      if (signal.aborted || !(error instanceof Error)) throw error
      throw new StackError(
        `cannot fetch ${title}: ${error.message}\nCheck the network (and proxy settings) and start again: what is complete is kept.`,
        { cause: error }
      )
    }
  }

  const inTurn = async (tool: 'maven' | 'go'): Promise<void> => {
    // Two Mavens at once would write into the same local repository.
    for (const name of names.filter(each => artifacts[each].tool === tool)) {
      if (!stop.aborted) await fetchOne(name)
    }
  }
  try {
    const outcomes = await Promise.allSettled([inTurn('maven'), inTurn('go')])
    const failed = outcomes.find(
      outcome => outcome.status === 'rejected' && outcome.reason instanceof StackError
    )
    const any = failed ?? outcomes.find(outcome => outcome.status === 'rejected')
    if (any?.status === 'rejected') throw any.reason
    signal.throwIfAborted()
  } finally {
    progress.close()
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
