// The Docker engine that the test runs on: the one that answers, or else one of our own where that is allowed.
//
//   N1  An engine that was there before is used as it is, and left running.
//   N2  Our own keeps its images in the cache, for the next time. It listens on a socket there, so that nothing else of
//       this computer meets it, and is ended by its process id.

import { join } from 'node:path'
import { onPath } from '../stack/toolchain.ts'
import { tryCall } from './call.ts'
import { ComposeError } from './compose-error.ts'
import { installPackages, unpackPlugins, whyNotInstall } from './debian.ts'
import { endLeftover, ownSocket, startEngine } from './own-engine.ts'

export interface Engine extends AsyncDisposable {
  /** With DOCKER_HOST and DOCKER_CONFIG as its client needs them. */
  readonly env: NodeJS.ProcessEnv
  readonly isOwn: boolean
  readonly version: string
}

export interface EngineOptions {
  readonly env: NodeJS.ProcessEnv
  /** In the cache. */
  readonly folder: string
  readonly say: (line: string) => void
}

/** @throws {ComposeError} naming what is missing, with its remedy. */
export async function openEngine({ env, folder, say }: EngineOptions, signal: AbortSignal): Promise<Engine> {
  const running = await versionOf(env, signal)
  if (running !== undefined) {
    say(`Docker engine ${running} is running and is used`)
    const equipped = await withPlugins(env, folder, say, signal)
    return { env: equipped, isOwn: false, version: running, [Symbol.asyncDispose]: () => Promise.resolve() }
  }

  const problem = await whyNotInstall(env)
  if (problem !== undefined) {
    throw new ComposeError(
      `no Docker engine answers, and none can be installed here: ${problem}.\n` +
        'Install Docker (https://docs.docker.com/engine/install), start it and see that "docker info" answers; ' +
        'or run this as root on Debian, where it installs and starts one itself.'
    )
  }
  const missing = await missingPrograms(env)
  if (missing.length > 0) {
    say(`installing ${missing.join(' and ')} (about 15 s)`)
    await installPackages(missing, env, signal)
  }
  const started = await versionOf(env, signal)
  if (started !== undefined) return openEngine({ env, folder, say }, signal) // The package started it.

  await endLeftover(folder)
  say('starting a Docker engine')
  const engine = await startEngine(folder, env, signal)
  try {
    const own = await withPlugins({ ...env, DOCKER_HOST: ownSocket(folder) }, folder, say, signal)
    const version = await versionOf(own, signal)
    if (version === undefined) throw new ComposeError(`the Docker engine does not answer; see ${engine.log}`)
    say(`Docker engine ${version} is running, data in ${folder}`)
    return { env: own, isOwn: true, version, [Symbol.asyncDispose]: engine.end }
  } catch (error) {
    await engine.end()
    throw error
  }
}

async function versionOf(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string | undefined> {
  if ((await onPath('docker', env)) === undefined) return undefined
  const told = await tryCall('docker', ['version', '--format', '{{.Server.Version}}'], { env }, signal)
  return told?.trim()
}

async function missingPrograms(env: NodeJS.ProcessEnv): Promise<string[]> {
  const packages = { dockerd: 'docker.io', docker: 'docker.io', iptables: 'iptables' }
  const missing = new Set<string>()
  for (const [program, name] of Object.entries(packages)) {
    if ((await onPath(program, env)) === undefined) missing.add(name)
  }
  return [...missing]
}

/** Compose 2 and Buildx: the client's own where it has both, otherwise the young Debian's. */
async function withPlugins(
  env: NodeJS.ProcessEnv,
  folder: string,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<NodeJS.ProcessEnv> {
  const has = async (candidate: NodeJS.ProcessEnv): Promise<boolean> => {
    const answers = ['compose', 'buildx'].map(plugin =>
      tryCall('docker', [plugin, 'version'], { env: candidate }, signal)
    )
    return (await Promise.all(answers)).every(answer => answer !== undefined)
  }
  if (await has(env)) return env
  const config = join(folder, 'client')
  const equipped = { ...env, DOCKER_CONFIG: config }
  if (await has(equipped)) return equipped
  const problem = await whyNotInstall(env)
  if (problem !== undefined) {
    throw new ComposeError(
      `Docker's plugins compose (version 2) and buildx are missing, and cannot be installed here: ${problem}.\n` +
        'Install them: https://docs.docker.com/compose/install/linux'
    )
  }
  say("fetching Docker's plugins compose and buildx")
  await unpackPlugins(config, env, signal)
  if (!(await has(equipped))) throw new ComposeError(`the plugins in ${config} do not run`)
  return equipped
}
