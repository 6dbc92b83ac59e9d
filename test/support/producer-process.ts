// The producer as people start it: a process of its own on real servers, with a namespace and a memory of its own.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { kafkaClients } from '@pointsman/core/adapters/kafka/client'
import { KafkaDocumentCodec } from '@pointsman/core/adapters/kafka/document-codec'
import { KafkaLogAdmin } from '@pointsman/core/adapters/kafka/log-admin'
import { KafkaRangeReader } from '@pointsman/core/adapters/kafka/range-reader'
import type { Document } from '@pointsman/core/domain/document'
import { openLog } from '@pointsman/core/runtime/log'
import { kafkaSettings, registrySettings } from '@pointsman/core/runtime/settings'
import { namesOf } from '@pointsman/core/runtime/names'
import { z } from 'zod'

const program = fileURLToPath(new URL('../../services/producer/src/main.ts', import.meta.url))
const settingsSchema = z.object({ ...kafkaSettings, ...registrySettings })
const never = new AbortController().signal

const eventSchema = z.looseObject({ event: z.string() })

export interface EndedRun {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly events: readonly Readonly<Record<string, unknown>>[]
  /** The last event, of a run that came to an end. */
  readonly report: Readonly<Record<string, unknown>>
  readonly complaints: string
}

export interface StartOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** User to run as, where we are root: root can read everything. */
  readonly uid?: number
  /** Sends the signal as soon as so many records are in the log. */
  readonly endAt?: { readonly records: number; readonly signal: NodeJS.Signals }
  readonly onEvent?: (event: Readonly<Record<string, unknown>>, kill: (name: NodeJS.Signals) => void) => void
}

export class ProducerProcess implements AsyncDisposable {
  readonly names = namesOf(`producer-${randomUUID().slice(0, 8)}`)
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'pointsman-producer-')))
  readonly root = join(this.folder, 'root')
  readonly #servers: Readonly<Record<string, string>>
  readonly #resources = new AsyncDisposableStack()
  readonly #codec: KafkaDocumentCodec
  readonly #ranges: KafkaRangeReader
  readonly admin: KafkaLogAdmin

  constructor(brokers: readonly string[], schemaRegistryUrl: string) {
    this.#servers = { KAFKA_BROKERS: brokers.join(','), SCHEMA_REGISTRY_URL: schemaRegistryUrl }
    mkdirSync(this.root)
    // Another user may have to work here.
    for (const path of [this.folder, this.root]) chmodSync(path, 0o777)
    const settings = settingsSchema.parse(this.#servers)
    const log = openLog('test', 'silent')
    const clients = kafkaClients(settings, 'test', log)
    this.admin = this.#resources.use(new KafkaLogAdmin(clients, this.names, log))
    this.#ranges = this.#resources.use(new KafkaRangeReader(clients, this.names.documents))
    this.#codec = new KafkaDocumentCodec(settings, this.names.documents)
  }

  write(path: string, content: string): string {
    const full = join(this.root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, content)
    return full
  }

  async run(args: readonly string[], options: StartOptions = {}): Promise<EndedRun> {
    const { endAt, input = '', env = {}, uid, onEvent } = options
    const child = spawn(process.execPath, [program, ...args, '--json'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        ...this.#servers,
        POINTSMAN_NAMESPACE: this.names.namespace,
        POINTSMAN_STATE_DIR: join(this.folder, 'state'),
        DOCUMENTS_PARTITIONS: '2',
        LOG_LEVEL: 'silent',
        ...env
      },
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid })
    })
    child.stdin.on('error', () => undefined).end(input)
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    const events: Readonly<Record<string, unknown>>[] = []
    createInterface({ input: child.stdout }).on('line', line => {
      const event = eventSchema.parse(JSON.parse(line))
      events.push(event)
      onEvent?.(event, name => void child.kill(name))
    })
    const closed = once(child, 'close')
    while (endAt !== undefined && child.exitCode === null) {
      if ((await this.#recordCount()) < endAt.records) continue
      child.kill(endAt.signal)
      break
    }
    const [exitCode, signal] = await closed
    return { exitCode, signal, events, report: events.at(-1) ?? {}, complaints }
  }

  async #recordCount(): Promise<number> {
    // Before the first run there is no topic.
    const bounds = await this.admin.bounds().catch(() => new Map<number, { start: bigint; end: bigint }>())
    return [...bounds.values()].reduce((sum, { end, start }) => sum + Number(end - start), 0)
  }

  /** Everything in the topic, partition by partition. */
  async logged(): Promise<readonly Document[]> {
    const documents: Document[] = []
    for (const [partition, { start, end }] of await this.admin.bounds()) {
      for await (const records of this.#ranges.scan(partition, start, end, never)) {
        for (const record of records) {
          const decoded = await this.#codec.decode(record)
          if (decoded.kind !== 'document') throw new Error(decoded.reason)
          if (record.key !== decoded.document.docId) throw new Error(`key ${record.key}`)
          documents.push(decoded.document)
        }
      }
    }
    return documents
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
