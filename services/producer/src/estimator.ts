// Counts what a run would send, and sends and remembers nothing. The second version of an id within one run is compared
// with the first, as if that had been sent: planned entries are kept beside the store, in a temporary table.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { z } from 'zod'
import type { EmittedStore } from './emitted-store.ts'
import type { Entry } from './entry.ts'
import type { EstimatedText, IngestEvent } from './ingest-report.ts'
import type { Sink } from './ingestion.ts'
import type { Emission } from './plan-emission.ts'
import type { Tally } from './tally.ts'

export interface EstimatorDeps {
  readonly store: Pick<EmittedStore, 'entry' | 'endReading'>
  /** Everything counts as unsent: what is remembered went to another log. */
  readonly isLogOther: boolean
  /** For temporary tables, which spill to disk: a run may meet many millions of texts. */
  readonly db: DatabaseSync
  readonly tally: Tally
  readonly tell: (event: IngestEvent) => void
}

/** Of a line of an input file of the batch lane, around the text: what the provider wants to be told, and ids. */
const lineBytesAround = 224
const textsAtOnce = 1000
const sourcesAtOnce = 1000

const entrySchema = z.object({
  id: z.string(),
  origin: z.string(),
  path: z.string(),
  named: z.boolean(),
  elsewhere: z.boolean(),
  given: z.number().optional(),
  version: z.number(),
  content: z.string(),
  acked: z.boolean(),
  chunks: z.array(z.string()),
  whole: z.boolean(),
  parts: z.number()
})

export class Estimator implements Sink, Disposable {
  readonly #deps: EstimatorDeps
  readonly #plan: StatementSync
  readonly #planned: StatementSync
  readonly #meet: StatementSync
  #texts: EstimatedText[] = []
  #sources = 0
  #distinctTexts = 0
  #distinctTokens = 0
  #lineBytes = 0

  constructor(deps: EstimatorDeps) {
    this.#deps = deps
    deps.db.exec(`
      CREATE TEMP TABLE planned (id TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID;
      CREATE TEMP TABLE text (hash BLOB PRIMARY KEY) WITHOUT ROWID`)
    this.#plan = deps.db.prepare('INSERT OR REPLACE INTO temp.planned VALUES (?, ?)')
    this.#planned = deps.db.prepare('SELECT entry FROM temp.planned WHERE id = ?')
    this.#meet = deps.db.prepare('INSERT OR IGNORE INTO temp.text VALUES (?)')
  }

  /** Each text counts once, however many documents have it: it is paid for once. */
  get distinct(): { readonly texts: number; readonly tokens: number; readonly lineBytes: number } {
    return { texts: this.#distinctTexts, tokens: this.#distinctTokens, lineBytes: this.#lineBytes }
  }

  entry(id: string): Entry | undefined {
    const planned = this.#planned.get(id)?.['entry']
    if (typeof planned === 'string') return entryOf(planned)
    const stored = this.#deps.store.entry(id)
    return stored && this.#deps.isLogOther ? { ...stored, content: '', chunks: [], acked: false } : stored
  }

  async add({ after, documents }: Extract<Emission, { kind: 'emit' }>): Promise<void> {
    this.#remember(after)
    this.#deps.tally.sent(documents)
    for (const { text, textHash, tokens, deleted } of documents) {
      if (deleted || this.#meet.run(Buffer.from(textHash, 'hex').subarray(0, 16)).changes === 0) continue
      const lineBytes = lineBytesAround + Buffer.byteLength(JSON.stringify(text))
      this.#distinctTexts += 1
      this.#distinctTokens += tokens
      this.#lineBytes += lineBytes
      this.#texts.push([textHash, tokens, lineBytes])
      if (this.#texts.length >= textsAtOnce) this.#tellTexts()
    }
  }

  async note({ entry }: Parameters<Sink['note']>[0]): Promise<void> {
    this.#remember(entry)
  }

  async drain(): Promise<void> {
    this.#tellTexts()
    this.#deps.store.endReading()
  }

  [Symbol.dispose](): void {
    this.#deps.db.exec('DROP TABLE temp.planned; DROP TABLE temp.text')
  }

  /** Only who names an id may bring it again. */
  #remember(entry: Entry): void {
    this.#sources += 1
    // Others who send at this time could not tidy up their database while one reads on and on.
    if (this.#sources % sourcesAtOnce === 0) this.#deps.store.endReading()
    if (entry.named) this.#plan.run(entry.id, JSON.stringify(entry))
  }

  #tellTexts(): void {
    if (this.#texts.length > 0) this.#deps.tell({ event: 'texts', texts: this.#texts })
    this.#texts = []
  }
}

function entryOf(json: string): Entry {
  const { given, ...entry } = entrySchema.parse(JSON.parse(json))
  return { ...entry, given }
}
