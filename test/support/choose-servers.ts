import type { StackEnv } from '../../tools/stack/stack-env.ts'
import { StackError } from '../../tools/stack/stack-error.ts'

/** Where the real servers of a run come from. */
export type ServerChoice =
  /** They run already; TEST_KAFKA_BROKERS and the others say where. */
  | { readonly kind: 'given'; readonly env: StackEnv }
  /** Processes on this computer, by tools/stack. */
  | { readonly kind: 'native' }
  /** Those of docker-compose.yml, by testcontainers. */
  | { readonly kind: 'containers' }

const addresses = {
  KAFKA_BROKERS: 'TEST_KAFKA_BROKERS',
  SCHEMA_REGISTRY_URL: 'TEST_SCHEMA_REGISTRY_URL',
  REDIS_URL: 'TEST_REDIS_URL',
  WEAVIATE_URL: 'TEST_WEAVIATE_URL',
  WEAVIATE_GRPC_URL: 'TEST_WEAVIATE_GRPC_URL',
  MINILM_DIR: 'TEST_MINILM_DIR'
} as const satisfies Record<keyof StackEnv, string>

/** @throws {StackError} for an unknown TEST_STACK, and where the variables contradict each other or only some are set. */
export function chooseServers(env: NodeJS.ProcessEnv): ServerChoice {
  const stack = env['TEST_STACK'] || undefined
  const names = Object.values(addresses)
  const missing = names.filter(name => !env[name])
  if (stack !== undefined && stack !== 'native' && stack !== 'containers')
    throw new StackError(`TEST_STACK is "${stack}": it may be "native" (the default) or "containers"`)
  if (missing.length === names.length) return { kind: stack ?? 'native' }
  if (stack !== undefined) {
    const set = names.filter(name => !missing.includes(name)).join(', ')
    throw new StackError(
      `TEST_STACK=${stack} starts servers, but others are named by ${set}: unset one or the other`
    )
  }
  // Rather than mixing servers.
  if (missing.length > 0)
    throw new StackError(`set all of TEST_* addresses or none; missing: ${missing.join(', ')}`)
  const value = (name: keyof StackEnv): string => env[addresses[name]] ?? ''
  return {
    kind: 'given',
    env: {
      KAFKA_BROKERS: value('KAFKA_BROKERS'),
      SCHEMA_REGISTRY_URL: value('SCHEMA_REGISTRY_URL'),
      REDIS_URL: value('REDIS_URL'),
      WEAVIATE_URL: value('WEAVIATE_URL'),
      WEAVIATE_GRPC_URL: value('WEAVIATE_GRPC_URL'),
      MINILM_DIR: value('MINILM_DIR')
    }
  }
}
