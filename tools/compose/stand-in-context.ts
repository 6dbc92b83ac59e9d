// What stand-ins are made from, in one folder: the servers of the native stack, this computer's Java, Maven and npm, and
// how it reaches package registries.

import { copyFile, cp, mkdir, realpath, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ArtifactName } from '../stack/artifacts.ts'
import { fetchArtifacts } from '../stack/fetch-artifacts.ts'
import { findJava, onPath, thisComputer } from '../stack/toolchain.ts'
import { call } from './call.ts'
import { ComposeError } from './compose-error.ts'
import type { Ingredient } from './stand-in.ts'

export interface ContextOptions {
  /** Empty; gets a folder for each ingredient. */
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly scripts: string
  readonly write: (text: string) => void
}

const servers = ['kafka', 'registry', 'weaviate'] as const

export async function gatherContext(
  ingredients: ReadonlySet<Ingredient>,
  { folder, env, scripts, write }: ContextOptions,
  signal: AbortSignal
): Promise<void> {
  const needed = servers.filter(name => ingredients.has(name)) satisfies ArtifactName[]
  const fetched = await fetchArtifacts(
    needed,
    { search: thisComputer(env), output: { isLive: false, write } },
    signal
  )
  const take = (from: string, to: string): Promise<void> => copyTree(from, join(folder, to), env, signal)
  if (ingredients.has('kafka')) await take(join(fetched.folderOf('kafka'), 'jars'), 'kafka')
  if (ingredients.has('registry')) await take(fetched.folderOf('registry'), 'registry')
  if (ingredients.has('weaviate')) await take(fetched.folderOf('weaviate'), 'weaviate')
  if (ingredients.has('java')) await take(await javaHome(env), 'java')
  if (ingredients.has('maven')) await take(await mavenHome(env), 'maven')
  if (ingredients.has('scripts')) await cp(scripts, join(folder, 'scripts'), { recursive: true })
  if (ingredients.has('node')) {
    await mkdir(join(folder, 'node/bin'), { recursive: true })
    await copyFile(process.execPath, join(folder, 'node/bin/node'))
    await take(await npmFolder(env), 'node/lib/node_modules/npm')
  }
  if (ingredients.has('host')) await describeHost(join(folder, 'host'), env, signal)
}

/** Links instead of links' targets would point out of the context. */
async function copyTree(
  from: string,
  to: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await call('cp', ['-rpL', from, to], { env }, signal)
}

async function javaHome(env: NodeJS.ProcessEnv): Promise<string> {
  const { java } = await findJava(thisComputer(env))
  if (java === undefined)
    throw new ComposeError('no JDK that is new enough: install one, or set JAVA_HOME to it')
  return join(await realpath(java.path), '../..')
}

async function mavenHome(env: NodeJS.ProcessEnv): Promise<string> {
  const mvn = await onPath('mvn', env)
  if (mvn === undefined) throw new ComposeError('no mvn on the PATH: install Maven, e.g. "apt install maven"')
  return join(await realpath(mvn), '../..')
}

async function npmFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const npm = env['npm_execpath'] ?? (await onPath('npm', env))
  if (npm === undefined)
    throw new ComposeError('no npm on the PATH: install Node with npm from https://nodejs.org')
  return join(await realpath(npm), '../..')
}

/** A build reaches package registries as this computer does; nothing of it is in an image of ours. */
async function describeHost(folder: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true })
  const certificates =
    env['NODE_EXTRA_CA_CERTS'] || env['SSL_CERT_FILE'] || '/etc/ssl/certs/ca-certificates.crt'
  await copyFile(certificates, join(folder, 'certificates.crt'))

  const known = await call('npm', ['config', 'get', 'registry', 'proxy', 'https-proxy'], { env }, signal)
  const settings = known.split('\n').filter(line => /^[\w-]+=(?!null$)./.test(line))
  const inside = 'cafile=/etc/ssl/certs/ca-certificates.crt'
  await writeFile(join(folder, 'npmrc'), `${[...settings, inside].join('\n')}\n`)

  const own = join(homedir(), '.m2/settings.xml')
  const settingsXml = '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"/>\n'
  if (await stat(own).catch(() => undefined)) await copyFile(own, join(folder, 'settings.xml'))
  else await writeFile(join(folder, 'settings.xml'), settingsXml)
  await copyFile(await mavenCertificates(env, signal), join(folder, 'cacerts'))
}

/** Those of the Java that Maven runs on here: it is the one that may be set up for a proxy. */
async function mavenCertificates(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const told = await call('mvn', ['--version'], { env }, signal)
  const runtime = /runtime: (.+?)\s*$/m.exec(told)?.[1]
  if (runtime === undefined) throw new ComposeError(`mvn --version does not tell its Java:\n${told}`)
  return realpath(join(runtime, 'lib/security/cacerts'))
}
