/**
 * What gets one vector: a whole text, or one chunk of it. The value of a record in the `documents` topic;
 * its Kafka key is `docId`.
 */
export interface Document {
  readonly docId: string
  /** What the document came from: a path relative to the ingested root, or the id of a JSONL line. */
  readonly sourceId: string
  /** Monotone per document, 0 to 2^53-1; a file's is its modification time in milliseconds. */
  readonly version: number
  /** Position of this chunk in its source, from 0, and how many there are. */
  readonly chunk: number
  readonly chunks: number
  readonly title: string
  /** Empty for a tombstone. */
  readonly text: string
  /** SHA-256 of the text's UTF-8 bytes, 64 hex digits; decides, with the model, what is paid for. */
  readonly textHash: string
  /** cl100k_base tokens of the text. */
  readonly tokens: number
  /** A JSON object. */
  readonly metadata: string
  /** A tombstone: every object of `docId` is to go. */
  readonly deleted: boolean
}

/** A document at its place in the log. */
export interface LoggedDocument {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly document: Document
}
