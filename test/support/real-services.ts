// The real servers for integration and e2e tests: one stack for the whole run, native or in containers as TEST_STACK says,
// or the servers that TEST_* name. Missing parts fail the run: a skipped suite looks like a passing one.

import type { TestProject } from 'vitest/node'
import type { StackEnv } from '../../tools/stack/stack-env.ts'
import { chooseServers, type ServerChoice } from './choose-servers.ts'
import type { ServerStack } from './server-stack.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kafkaBrokers: string[]
    schemaRegistryUrl: string
    redisUrl: string
    weaviateUrl: string
    weaviateGrpcUrl: string
    minilmDir: string
  }
}

interface Shared {
  users: number
  readonly stack: Promise<ServerStack>
}

// Each vitest project loads this file for itself, in one process.
declare global {
  var pointsmanTestStack: Shared | undefined
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const choice = chooseServers(process.env)
  if (choice.kind === 'given') {
    provide(project, choice.env)
    return undefined
  }
  const shared = (globalThis.pointsmanTestStack ??= { users: 0, stack: start(choice.kind) })
  shared.users++
  provide(project, (await shared.stack).env)
  return async () => {
    if (--shared.users > 0) return
    globalThis.pointsmanTestStack = undefined
    await (await shared.stack)[Symbol.asyncDispose]()
  }
}

/** Each loaded only when needed: the one does without Docker's client, and a run on given servers without either. */
async function start(kind: Exclude<ServerChoice['kind'], 'given'>): Promise<ServerStack> {
  switch (kind) {
    case 'native': {
      const { startStack } = await import('../../tools/stack/start-stack.ts')
      return startStack()
    }
    case 'containers': {
      const { startContainerStack } = await import('./container-stack.ts')
      return startContainerStack()
    }
    default:
      return kind satisfies never
  }
}

function provide(project: TestProject, env: StackEnv): void {
  project.provide('kafkaBrokers', env.KAFKA_BROKERS.split(','))
  project.provide('schemaRegistryUrl', env.SCHEMA_REGISTRY_URL)
  project.provide('redisUrl', env.REDIS_URL)
  project.provide('weaviateUrl', env.WEAVIATE_URL)
  project.provide('weaviateGrpcUrl', env.WEAVIATE_GRPC_URL)
  project.provide('minilmDir', env.MINILM_DIR)
}
