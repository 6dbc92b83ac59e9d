import type { Document } from '../../domain/document.ts'
import type { DocumentCodec, DocumentWriter } from '../../ports/event-log.ts'
import type { MemoryLog } from './event-log.ts'

export class MemoryDocumentWriter implements DocumentWriter {
  readonly #log: MemoryLog
  readonly #codec: DocumentCodec

  constructor(log: MemoryLog, codec: DocumentCodec) {
    this.#log = log
    this.#codec = codec
  }

  async write(documents: readonly Document[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const values = await Promise.all(documents.map(document => this.#codec.encode(document)))
    this.#log.requireUp('log')
    for (const [index, { docId }] of documents.entries()) {
      this.#log.append(this.#log.partitionOf(docId), docId, values[index])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
