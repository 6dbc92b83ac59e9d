import { call } from './call.ts'

/** Names of the projects and images of the test begin so. */
export const testPrefix = 'pointsman-compose-'

const projectLabel = 'com.docker.compose.project'

/** Removes what a run that was killed has left on the engine: it would be started again together with the engine. */
export async function sweep(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const lines = async (...args: readonly string[]): Promise<string[]> =>
    (await call('docker', args, { env }, signal)).split('\n').filter(line => line.startsWith(testPrefix))
  const labelled = ['--filter', `label=${projectLabel}`, '--format', `{{.Label "${projectLabel}"}}`]
  const projects = new Set([
    ...(await lines('ps', '--all', ...labelled)),
    ...(await lines('volume', 'ls', ...labelled)),
    ...(await lines('network', 'ls', ...labelled))
  ])
  for (const project of projects) {
    const down = ['down', '--volumes', '--remove-orphans', '--timeout', '1']
    await call('docker', ['compose', '--project-name', project, ...down], { env }, signal)
  }
  const images = await lines('images', '--format', '{{.Repository}}:{{.Tag}}')
  if (images.length > 0) await call('docker', ['image', 'rm', ...images], { env }, signal)
}

/** What older sources were built from; the newest gigabytes are kept for the next run. */
export async function pruneBuilds(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  await call('docker', ['image', 'prune', '--force'], { env }, signal)
  await call('docker', ['builder', 'prune', '--force', '--keep-storage', '5GB'], { env }, signal)
}
