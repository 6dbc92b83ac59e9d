import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import weaviate, { type WeaviateClient } from 'weaviate-client'
import type { PartPlan } from './part.ts'

export interface WeaviateSettings {
  readonly server: string
  readonly folder: string
  readonly ports: WeaviatePorts
  readonly asyncIndexing: boolean
  /** Go's soft memory limit, as GOMEMLIMIT takes it: "1GiB". */
  readonly memoryLimit: string
}

export interface WeaviatePorts {
  readonly http: number
  readonly grpc: number
  readonly gossip: number
  readonly data: number
  readonly raft: number
  readonly raftRpc: number
}

export function weaviatePlan({
  server,
  folder,
  ports,
  asyncIndexing,
  memoryLimit
}: WeaviateSettings): PartPlan {
  return {
    name: 'weaviate',
    ports: { ...ports },
    file: server,
    args: ['--host', '127.0.0.1', '--port', String(ports.http), '--scheme', 'http'],
    env: {
      PERSISTENCE_DATA_PATH: join(folder, 'data'),
      AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: 'true',
      DEFAULT_VECTORIZER_MODULE: 'none',
      AUTOSCHEMA_ENABLED: 'false',
      API_BASED_MODULES_DISABLED: 'true',
      DISABLE_TELEMETRY: 'true',
      GO_PROFILING_DISABLE: 'true',
      LOG_LEVEL: 'warning',
      ASYNC_INDEXING: String(asyncIndexing),
      // Together with the data folder this is its identity in the raft log: another name looks like a hang.
      CLUSTER_HOSTNAME: 'node1',
      // Without explicit addresses it refuses to start on a host that has no private one.
      CLUSTER_BIND_ADDR: '127.0.0.1',
      CLUSTER_ADVERTISE_ADDR: '127.0.0.1',
      CLUSTER_IN_LOCALHOST: 'true',
      CLUSTER_GOSSIP_BIND_PORT: String(ports.gossip),
      CLUSTER_DATA_BIND_PORT: String(ports.data),
      RAFT_PORT: String(ports.raft),
      RAFT_INTERNAL_RPC_PORT: String(ports.raftRpc),
      RAFT_BOOTSTRAP_EXPECT: '1',
      // The default of 5 makes the election of the only node take eight seconds.
      RAFT_TIMEOUTS_MULTIPLIER: '1',
      GRPC_PORT: String(ports.grpc),
      // The default turns everything read-only on a disk that is 90 % full.
      DISK_USE_READONLY_PERCENTAGE: '99',
      GOMEMLIMIT: memoryLimit
    },
    cwd: folder,
    prepare: async () => {
      await mkdir(folder, { recursive: true })
    },
    probe: () => probeWeaviate(ports)
  }
}

/** Writes over HTTP and finds over gRPC: the client needs both. */
export async function probeWeaviate(ports: Pick<WeaviatePorts, 'http' | 'grpc'>): Promise<void> {
  const client = await weaviate.connectToCustom({
    httpHost: '127.0.0.1',
    httpPort: ports.http,
    httpSecure: false,
    grpcHost: '127.0.0.1',
    grpcPort: ports.grpc,
    grpcSecure: false,
    timeout: { init: 5, insert: 10, query: 10 },
    // Its own would write to the console while the server starts; the query below goes over gRPC as well.
    skipInitChecks: true
  })
  const name = `Probe${randomUUID().replaceAll('-', '')}`
  try {
    await writeAndFind(client, name)
  } finally {
    await client.collections.delete(name)
    await client.close()
  }
}

async function writeAndFind(client: WeaviateClient, name: string): Promise<void> {
  const collection = await client.collections.create({
    name,
    vectorizers: weaviate.configure.vectors.selfProvided()
  })
  const id = await collection.data.insert({ vectors: [1, 0], properties: {} })
  const found = await collection.query.fetchObjectById(id)
  if (found?.uuid !== id) throw new Error('the object that was written is not found')
}
