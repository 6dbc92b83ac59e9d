// The smallest Debian that the stand-ins stand on, with the few programs of it that they need.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onPath } from '../stack/toolchain.ts'
import { call } from './call.ts'
import { ComposeError } from './compose-error.ts'
import { debianMirror, installPackages, whyNotInstall, youngSuite } from './debian.ts'

export const baseImage = 'pointsman-stand-in/base'

const programs = ['ca-certificates', 'curl', 'libstdc++6', 'redis-server', 'tzdata', 'wget']

export async function buildBaseImage(
  version: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<void> {
  const problem = await whyNotInstall(env)
  if (problem !== undefined) {
    throw new ComposeError(
      `images cannot be pulled, and stand-ins cannot be made either: ${problem}.\n` +
        'Let Docker reach the registries of images, or run this as root on Debian.'
    )
  }
  if ((await onPath('debootstrap', env)) === undefined) await installPackages(['debootstrap'], env, signal)
  const folder = await mkdtemp(join(tmpdir(), 'pointsman-base-'))
  const root = join(folder, 'root')
  const archive = join(folder, 'root.tar')
  try {
    const mirror = await debianMirror(env, signal)
    const include = `--include=${programs.join(',')}`
    await call('debootstrap', ['--variant=minbase', include, youngSuite, root, mirror], { env }, signal)
    const left = ['./var/lib/apt/lists/*', './var/cache/apt/*'].map(pattern => `--exclude=${pattern}`)
    await call('tar', ['--create', '--file', archive, '--directory', root, ...left, '.'], { env }, signal)
    const label = `LABEL pointsman.stand-in=${version}`
    await call('docker', ['import', '--change', label, archive, baseImage], { env }, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
