import type { DocumentExtractor } from './extract/document-extractor.ts'

/** What readers of sources need. */
export interface ReadContext {
  /** Of one file that is read whole, or one record of a file that is streamed. */
  readonly maxBytes: number
  readonly extractor: DocumentExtractor
  readonly csv: { readonly idColumn: string | undefined; readonly textColumn: string | undefined }
  /** Extensions to which folders are narrowed. */
  readonly only: ReadonlySet<string> | undefined
  /** Put before ids that are made from paths. */
  readonly idPrefix: string
  readonly signal: AbortSignal
}

/** Where records come from. */
export interface RecordPlace {
  readonly path: string
  readonly modifiedMs: number
  readonly elsewhere: boolean
}
