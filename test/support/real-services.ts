// The real servers for integration and e2e tests: one stack for the whole run, or the servers that TEST_* names.
// Missing parts fail the run: a skipped suite looks like a passing one.

import type { TestProject } from 'vitest/node'
import type { Stack, StackOptions } from '../../tools/stack/start-stack.ts'

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

const variables = {
  KAFKA_BROKERS: 'TEST_KAFKA_BROKERS',
  SCHEMA_REGISTRY_URL: 'TEST_SCHEMA_REGISTRY_URL',
  REDIS_URL: 'TEST_REDIS_URL',
  WEAVIATE_URL: 'TEST_WEAVIATE_URL',
  WEAVIATE_GRPC_URL: 'TEST_WEAVIATE_GRPC_URL',
  MINILM_DIR: 'TEST_MINILM_DIR'
} as const satisfies Record<keyof Stack['env'], string>

interface Shared {
  users: number
  readonly stack: Promise<Stack>
}

// Each vitest project loads this file for itself, in one process.
declare global {
  var pointsmanTestStack: Shared | undefined
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = servicesFromEnv(process.env)
  if (given !== undefined) {
    provide(project, given)
    return undefined
  }
  const shared = (globalThis.pointsmanTestStack ??= { users: 0, stack: start({}) })
  shared.users++
  provide(project, (await shared.stack).env)
  return async () => {
    if (--shared.users > 0) return
    globalThis.pointsmanTestStack = undefined
    await (await shared.stack)[Symbol.asyncDispose]()
  }
}

/** Loaded only when needed: with TEST_* set, a run does without the stack's tools. */
async function start(options: StackOptions): Promise<Stack> {
  const { startStack } = await import('../../tools/stack/start-stack.ts')
  return startStack(options)
}

/** @throws when only some are set: the tests would mix servers. */
function servicesFromEnv(env: NodeJS.ProcessEnv): Stack['env'] | undefined {
  const missing = Object.values(variables).filter(name => !env[name])
  if (missing.length === Object.keys(variables).length) return undefined
  if (missing.length > 0) throw new Error(`set all of TEST_* or none; missing: ${missing.join(', ')}`)
  const value = (name: keyof typeof variables): string => env[variables[name]] ?? ''
  return {
    KAFKA_BROKERS: value('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: value('SCHEMA_REGISTRY_URL'),
    REDIS_URL: value('REDIS_URL'),
    WEAVIATE_URL: value('WEAVIATE_URL'),
    WEAVIATE_GRPC_URL: value('WEAVIATE_GRPC_URL'),
    MINILM_DIR: value('MINILM_DIR')
  }
}

function provide(project: TestProject, env: Stack['env']): void {
  project.provide('kafkaBrokers', env.KAFKA_BROKERS.split(','))
  project.provide('schemaRegistryUrl', env.SCHEMA_REGISTRY_URL)
  project.provide('redisUrl', env.REDIS_URL)
  project.provide('weaviateUrl', env.WEAVIATE_URL)
  project.provide('weaviateGrpcUrl', env.WEAVIATE_GRPC_URL)
  project.provide('minilmDir', env.MINILM_DIR)
}
