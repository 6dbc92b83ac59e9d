import type { Document } from '../../domain/document.ts'
import type { DocumentCodec, DocumentWriter } from '../../ports/event-log.ts'
import type { NewClient } from './client.ts'
import { LogProducer } from './producer.ts'

export class KafkaDocumentWriter implements DocumentWriter {
  readonly #codec: DocumentCodec
  readonly #producer: LogProducer

  constructor(newClient: NewClient, topic: string, codec: DocumentCodec) {
    this.#codec = codec
    this.#producer = new LogProducer(newClient, topic)
  }

  async write(documents: readonly Document[], signal: AbortSignal): Promise<void> {
    const messages = await Promise.all(
      documents.map(async document => {
        const { buffer, byteOffset, byteLength } = await this.#codec.encode(document)
        return { key: document.docId, value: Buffer.from(buffer, byteOffset, byteLength) }
      })
    )
    await this.#producer.send(messages, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer[Symbol.asyncDispose]()
  }
}
