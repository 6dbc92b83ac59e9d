// Which images of others the compose file and the Dockerfile ask for: read there, so that their names stand in one place.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { call } from './call.ts'

const config = z.object({
  services: z.record(z.string(), z.object({ image: z.string(), build: z.unknown().optional() }))
})

/** @param root - of the project. */
export async function imageNames(
  root: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<readonly string[]> {
  const told = await call('docker', ['compose', 'config', '--format', 'json'], { env, cwd: root }, signal)
  const { services } = config.parse(JSON.parse(told))
  const servers = Object.values(services).filter(({ build }) => build === undefined)
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
  const bases = [...dockerfile.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, name = '']) => name)
  return [...new Set([...bases, ...servers.map(({ image }) => image)])].sort()
}
