import { inject } from 'vitest'
import type { StackEnv } from '../../tools/stack/stack-env.ts'

/** Addresses of the servers that the run of the tests has started, or was given. */
export function injectedServers(): StackEnv {
  return {
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    REDIS_URL: inject('redisUrl'),
    WEAVIATE_URL: inject('weaviateUrl'),
    WEAVIATE_GRPC_URL: inject('weaviateGrpcUrl'),
    MINILM_DIR: inject('minilmDir')
  }
}
