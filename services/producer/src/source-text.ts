/** One text as its source gave it, before it is normalised and split. */
export interface SourceText {
  readonly sourceId: string
  /** The file that gave it, relative to the root, with forward slashes; empty for standard input. */
  readonly path: string
  readonly text: string
  readonly title: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** When the file was modified, or now for standard input; milliseconds since the Unix epoch. */
  readonly modifiedMs: number
  /** The version that the source itself named; a file has none and takes `modifiedMs`. */
  readonly given: number | undefined
  /** The source named the id, as a JSONL line does; else it was made from the path. */
  readonly named: boolean
  /** Whether headings and fences guide the splitting. */
  readonly markdown: boolean
  readonly deleted: boolean
  /** The file lies on another device than the root: below a mount. */
  readonly elsewhere: boolean
}

/**
 * What reading a source yields.
 * - `text`
 * - `rejected` named in the report. What came from `path`, or from below it, before is kept, unless `empty`: then the
 *   path was read and holds nothing any more.
 * - `later`    it is being written: not read this time.
 * - `skipped`  no kind of file that is read; counted by extension.
 */
export type Reading =
  | { readonly kind: 'text'; readonly text: SourceText; readonly bytes: number }
  | {
      readonly kind: 'rejected'
      readonly path: string
      readonly id?: string
      readonly reason: string
      readonly empty?: true
      /** What is wrong lies outside the file: it may be read another time though it has not changed. */
      readonly again?: true
    }
  | { readonly kind: 'later' }
  | { readonly kind: 'skipped'; readonly extension: string }
