// A producer on the memory log, in a folder of its own. What it sends is kept as it was acknowledged.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { MemoryLog } from '@pointsman/core/adapters/memory/event-log'
import { MemoryLogAdmin } from '@pointsman/core/adapters/memory/event-log-admin'
import type { Document } from '@pointsman/core/domain/document'
import type { DocumentWriter } from '@pointsman/core/ports/event-log'
import { systemClock } from '@pointsman/core/runtime/clock'
import { type EmittedStore, openEmittedStore } from '../../services/producer/src/emitted-store.ts'
import { DocumentExtractor } from '../../services/producer/src/extract/document-extractor.ts'
import { ingest, type IngestDeps } from '../../services/producer/src/ingest.ts'
import { defaultIngestOptions, type IngestOptions } from '../../services/producer/src/ingest-options.ts'
import type { IngestEvent, IngestReport } from '../../services/producer/src/ingest-report.ts'
import { openRunLock } from '../../services/producer/src/run-lock.ts'

export interface ProducerRun {
  readonly report: IngestReport
  /** In the order of acknowledgement. */
  readonly sent: readonly Document[]
  readonly events: readonly IngestEvent[]
}

export interface RunChanges {
  readonly options?: Partial<IngestOptions>
  readonly deps?: Partial<IngestDeps>
  readonly input?: string | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

export class ProducerUnderTest implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'pointsman-producer-')))
  readonly root = join(this.folder, 'root')
  readonly state = join(this.folder, 'state')
  readonly log = new MemoryLog({ partitions: 2 })
  readonly extractor = new DocumentExtractor(systemClock, {
    deadlineMs: 20_000,
    maxMemoryBytes: 512 * 1_048_576
  })
  store: EmittedStore

  constructor() {
    mkdirSync(this.root)
    this.store = openEmittedStore(this.state)
  }

  /** @param path - relative to the root. */
  write(path: string, content: string | Uint8Array): string {
    const full = join(this.root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, content)
    return full
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true })
  }

  /** As a new process does. */
  reopenStore(): void {
    this.store[Symbol.dispose]()
    this.store = openEmittedStore(this.state)
  }

  async run(paths: readonly string[] = [this.root], changes: RunChanges = {}): Promise<ProducerRun> {
    const sent: Document[] = []
    const events: IngestEvent[] = []
    const deps: IngestDeps = {
      writer: recordingWriter(sent),
      log: new MemoryLogAdmin(this.log),
      logId: 'memory',
      store: this.store,
      lock: origin => openRunLock(this.state, origin),
      extractor: this.extractor,
      clock: systemClock,
      standardInput: typeof changes.input === 'object' ? changes.input : chunksOf(changes.input ?? ''),
      tell: event => void events.push(event),
      ...changes.deps
    }
    const options = { ...defaultIngestOptions, ...changes.options }
    const report = await ingest(paths, deps, options, changes.signal ?? new AbortController().signal)
    return { report, sent, events }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]()
    await this.extractor[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function recordingWriter(sent: Document[]): DocumentWriter {
  return {
    write: async documents => void sent.push(...documents),
    [Symbol.asyncDispose]: () => Promise.resolve()
  }
}

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** Some Markdown of about `words` words, different for every seed. */
export function prose(seed: number, words: number): string {
  const parts = [
    'the',
    'switch',
    'train',
    'signal',
    'track',
    'runs',
    'over',
    'a',
    'bridge',
    'at',
    'night',
    'slowly'
  ]
  return Array.from({ length: words }, (_, i) => {
    const word = parts[(seed * 31 + i * 7 + ((i * i) % 13)) % parts.length]
    return i % 40 === 39 ? `${word} ${seed}.\n\n` : word
  }).join(' ')
}
