// Sees to it that every image is there: it is, or it is pulled, or a stand-in takes its name.
//
//   M1  A real image is never replaced by a stand-in, and a stand-in is tried to be pulled again when it is out of date.
//   M2  On an engine that is not our own no stand-in stays behind: it would look like the real one.

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { baseImage, buildBaseImage } from './base-image.ts'
import { call, tryCall } from './call.ts'
import type { Engine } from './engine.ts'
import { gatherContext } from './stand-in-context.ts'
import { standInFor, standInVersion } from './stand-in.ts'

export interface ImageOptions {
  readonly engine: Engine
  /** In the cache. */
  readonly folder: string
  readonly say: (line: string) => void
}

/** Real or stand-in, by name; disposing of it removes what may not stay. */
export interface ProvidedImages extends AsyncDisposable {
  readonly standIns: readonly string[]
}

const label = 'pointsman.stand-in'
const recipes = join(import.meta.dirname, 'stand-ins')
const askLimitMs = 10_000

export async function provideImages(
  names: readonly string[],
  { engine, folder, say }: ImageOptions,
  signal: AbortSignal
): Promise<ProvidedImages> {
  const version = await standInVersion(recipes)
  const { env } = engine
  const states = await Promise.all(names.map(name => stateOf(name, version, env, signal)))
  const absent = names.filter((_, index) => states[index] === 'absent')
  const reachable = await Promise.all(absent.map(name => canPull(name, env, signal)))
  for (const name of absent.filter((_, index) => reachable[index])) {
    say(`pulling ${name}`)
    await call('docker', ['pull', '--quiet', name], { env }, signal)
  }
  const missing = absent.filter((_, index) => !reachable[index])
  const present = names.filter((_, index) => states[index] === 'stand-in')
  const removed = engine.isOwn ? [] : missing
  const provided = {
    standIns: [...missing, ...present].sort(),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      if (removed.length === 0) return
      await tryCall('docker', ['image', 'rm', ...removed, baseImage], { env }, new AbortController().signal)
    }
  }
  if (missing.length === 0) return provided
  try {
    await build(missing, version, { engine, folder, say }, signal)
    return provided
  } catch (error) {
    await provided[Symbol.asyncDispose]()
    throw error
  }
}

async function stateOf(
  name: string,
  version: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<'real' | 'stand-in' | 'absent'> {
  const format = `{{index .Config.Labels "${label}"}}`
  const told = await tryCall('docker', ['image', 'inspect', '--format', format, name], { env }, signal)
  if (told === undefined) return 'absent'
  const found = told.trim().replace('<no value>', '')
  if (found === '') return 'real'
  return found === version ? 'stand-in' : 'absent'
}

/** Asks for the description alone: where no registry is reached that is known in a moment. */
async function canPull(name: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<boolean> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(askLimitMs)])
  try {
    return (
      (await tryCall('docker', ['buildx', 'imagetools', 'inspect', name], { env }, limited)) !== undefined
    )
  } catch (error) {
    if (signal.aborted) throw error
    return false
  }
}

async function build(
  names: readonly string[],
  version: string,
  { engine: { env }, folder, say }: ImageOptions,
  signal: AbortSignal
): Promise<void> {
  const plans = names.map(name => ({ name, ...standInFor(name) }))
  if ((await stateOf(baseImage, version, env, signal)) === 'absent') {
    say('building the base of the stand-ins (about a minute)')
    await buildBaseImage(version, env, signal)
  }
  const context = await mkdtemp(join(folder, 'context-'))
  try {
    const ingredients = new Set(plans.flatMap(plan => plan.ingredients))
    const write = (text: string): void => say(text.trimEnd())
    await gatherContext(
      ingredients,
      { folder: context, env, scripts: join(recipes, 'scripts'), write },
      signal
    )
    for (const { name, target } of plans) {
      say(`building a stand-in for ${name}, which cannot be pulled here`)
      const options = ['--target', target, '--tag', name, '--label', `${label}=${version}`]
      const file = ['--file', join(recipes, 'Dockerfile')]
      await call('docker', ['build', '--quiet', ...file, ...options, context], { env }, signal)
    }
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}
