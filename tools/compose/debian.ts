// What Debian has and this computer lacks. Only as root and with apt-get: nobody else may install anything.

import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onPath } from '../stack/toolchain.ts'
import { call } from './call.ts'
import { ComposeError } from './compose-error.ts'

/** The one whose Compose and Buildx are young enough: the Compose of Debian 12 does not know a top-level `name:`. */
export const youngSuite = 'trixie'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const plugins = ['docker-compose', 'docker-buildx']

/** @returns why nothing can be installed here, or undefined. */
export async function whyNotInstall(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'this is not root'
  return (await onPath('apt-get', env)) === undefined ? 'there is no apt-get' : undefined
}

export async function installPackages(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<void> {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  await call('apt-get', ['update', '-q'], options, signal)
  await call('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], options, signal)
}

/** Where this computer gets Debian from, however it is set up. */
export async function debianMirror(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)'
  const told = await call('apt-get', ['indextargets', '--format', format], { env }, signal)
  const lines = told.split('\n').map(line => line.split('|'))
  const mirror = lines.find(([origin, label]) => origin === 'Debian' && label === 'Debian')?.[2]
  if (mirror === undefined) throw new ComposeError('apt-get knows no Debian mirror: this is not Debian')
  return mirror
}

/**
 * Docker's plugins `compose` and `buildx` from the young Debian, unpacked beside the system: packages of two releases
 * do not mix in one.
 * @param folder - gets a folder `cli-plugins`, which makes it a DOCKER_CONFIG.
 */
export async function unpackPlugins(
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<void> {
  const scratch = `${folder}.${process.pid}`
  const lists = join(scratch, 'lists')
  try {
    await mkdir(join(lists, 'partial'), { recursive: true })
    await mkdir(join(scratch, 'archives', 'partial'), { recursive: true })
    const source = `deb [signed-by=${keyring}] ${await debianMirror(env, signal)} ${youngSuite} main\n`
    await writeFile(join(scratch, 'sources.list'), source)
    await writeFile(
      join(scratch, 'apt.conf'),
      `Dir::Etc::SourceList "${join(scratch, 'sources.list')}";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "${lists}";
Dir::Cache "${scratch}";
APT::Sandbox::User "root";
`
    )
    const apart = { env: { ...env, APT_CONFIG: join(scratch, 'apt.conf') }, cwd: scratch }
    await call('apt-get', ['update', '-q'], apart, signal)
    await call('apt-get', ['download', '-q', ...plugins], apart, signal)

    const root = join(folder, 'root')
    await rm(folder, { recursive: true, force: true })
    await mkdir(root, { recursive: true })
    for (const name of await readdir(scratch)) {
      if (name.endsWith('.deb')) await call('dpkg-deb', ['-x', join(scratch, name), root], { env }, signal)
    }
    await symlink(join(root, 'usr/libexec/docker/cli-plugins'), join(folder, 'cli-plugins'))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
