// The servers of docker-compose.yml, and nothing else of it, under a project name and ports of their own: what is tested
// here are the very versions and settings that people get.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DockerComposeEnvironment, getContainerRuntimeClient } from 'testcontainers'
import { fetchArtifacts } from '../../tools/stack/fetch-artifacts.ts'
import { probeKafka } from '../../tools/stack/kafka.ts'
import { reservePortBlock } from '../../tools/stack/ports.ts'
import { probeRedis } from '../../tools/stack/redis.ts'
import { probeRegistry } from '../../tools/stack/registry.ts'
import { stackEnv, type StackAddresses } from '../../tools/stack/stack-env.ts'
import { StackError } from '../../tools/stack/stack-error.ts'
import { thisComputer } from '../../tools/stack/toolchain.ts'
import { waitUntilReady } from '../../tools/stack/wait-until-ready.ts'
import { probeWeaviate } from '../../tools/stack/weaviate.ts'
import { openContainerReaper } from './container-reaper.ts'
import { requireEngine } from './require-engine.ts'
import type { ServerStack } from './server-stack.ts'

const run = promisify(execFile)

const composeFolder = join(import.meta.dirname, '../..')
const services = ['kafka', 'registry', 'redis', 'weaviate']

// Without the time that it takes to fetch the images. A container that ends while starting is noticed at once.
const healthyLimitMs = 180_000
const readyLimitMs = 60_000

/** @throws {StackError} that says what is missing, and the remedy. */
export async function startContainerStack(): Promise<ServerStack> {
  await requireEngine(getContainerRuntimeClient, () => run('docker', ['compose', 'version']))
  const never = new AbortController().signal
  const output = { isLive: false, write: say }
  const minilm = (
    await fetchArtifacts(['minilm'], { search: thisComputer(process.env), output }, never)
  ).folderOf('minilm')

  const began = performance.now()
  await using owned = new AsyncDisposableStack()
  const { first } = owned.use(await reservePortBlock())
  const ports = {
    kafka: first,
    registry: first + 1,
    redis: first + 2,
    weaviate: first + 3,
    weaviateGrpc: first + 4
  }
  const projectName = `pointsman-test-${randomBytes(4).toString('hex')}`
  const reaper = owned.use(openContainerReaper(projectName))
  await up(projectName, ports)
  reaper.isUp()

  const env = stackEnv(ports, minilm)
  await Promise.all([
    answers('kafka', () => probeKafka(ports.kafka)),
    answers('registry', signal => probeRegistry(env.SCHEMA_REGISTRY_URL, signal)),
    answers('redis', () => probeRedis(ports.redis)),
    answers('weaviate', () => probeWeaviate({ http: ports.weaviate, grpc: ports.weaviateGrpc }))
  ])
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  say(`${services.join(', ')} ready in containers (${projectName}) after ${seconds} s\n`)
  say('tests that kill, freeze or restart a server start one of their own, natively\n')

  const rest = owned.move()
  return { env, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}

async function up(projectName: string, ports: StackAddresses): Promise<void> {
  try {
    await new DockerComposeEnvironment(composeFolder, 'docker-compose.yml')
      .withProjectName(projectName)
      .withEnvironment({
        KAFKA_PORT: String(ports.kafka),
        REGISTRY_PORT: String(ports.registry),
        REDIS_PORT: String(ports.redis),
        WEAVIATE_PORT: String(ports.weaviate),
        WEAVIATE_GRPC_PORT: String(ports.weaviateGrpc)
      })
      .withStartupTimeout(healthyLimitMs)
      // See container-reaper.ts.
      .withAutoCleanup(false)
      .up(services)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StackError(
      `the servers of docker-compose.yml did not come up in containers: ${why}\n` +
        '(DEBUG=testcontainers* shows their logs; KAFKA_IMAGE, REGISTRY_IMAGE, REDIS_IMAGE and WEAVIATE_IMAGE name other images)',
      { cause: error }
    )
  }
}

/** Healthy inside is not yet reached from outside, and the registry is set up by being asked. */
async function answers(name: string, probe: (signal: AbortSignal) => Promise<void>): Promise<void> {
  try {
    await waitUntilReady(probe, readyLimitMs, new AbortController().signal)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StackError(`${name} is healthy in its container and does not answer from outside: ${why}`, {
      cause: error
    })
  }
}

function say(text: string): void {
  process.stderr.write(text)
}
