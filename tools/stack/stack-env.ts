import { registryUrl } from './registry.ts'
import { redisUrl } from './redis.ts'

/** Where a stack is reached, under the names that Pointsman's configuration has for it. */
export interface StackEnv {
  readonly KAFKA_BROKERS: string
  /** The whole base, path included. */
  readonly SCHEMA_REGISTRY_URL: string
  readonly REDIS_URL: string
  readonly WEAVIATE_URL: string
  readonly WEAVIATE_GRPC_URL: string
  /** Folder of the small embedding model and its tokenizer. */
  readonly MINILM_DIR: string
}

export interface StackAddresses {
  readonly kafka: number
  readonly registry: number
  readonly redis: number
  readonly weaviate: number
  readonly weaviateGrpc: number
}

export function stackEnv(ports: StackAddresses, minilmFolder: string): StackEnv {
  return {
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    SCHEMA_REGISTRY_URL: registryUrl(ports.registry),
    REDIS_URL: redisUrl(ports.redis),
    WEAVIATE_URL: `http://127.0.0.1:${ports.weaviate}`,
    WEAVIATE_GRPC_URL: `http://127.0.0.1:${ports.weaviateGrpc}`,
    MINILM_DIR: minilmFolder
  }
}
