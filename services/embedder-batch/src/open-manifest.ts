// The manifest that this instance fills at the moment. What is counted here only plans: the ledger alone knows what is
// in a manifest, and it may hold a little less than counted, never more.
import type { ObligationId } from '@pointsman/core/domain/identity'
import type { Item } from '@pointsman/core/lane/work'

export interface Fill {
  readonly lines: number
  readonly tokens: number
  readonly bytes: number
}

/** A text that becomes a line. */
export interface LineText {
  readonly text: string
  readonly tokens: number
}

export interface OpenManifestDeps {
  readonly newId: () => ObligationId
  readonly lineBytes: (text: string) => number
  readonly nowMs: () => number
}

const nothing: Fill = { lines: 0, tokens: 0, bytes: 0 }

export class OpenManifest {
  readonly #deps: OpenManifestDeps
  #id: ObligationId | undefined
  #fill = nothing
  #sinceMs = 0
  /** Had no room any more and waits to be sealed. */
  readonly #full: ObligationId[] = []

  constructor(deps: OpenManifestDeps) {
    this.#deps = deps
  }

  get fill(): Fill {
    return this.#fill
  }

  /** Full ones that nobody seals yet. */
  get waiting(): number {
    return this.#full.length
  }

  /** Is this one being filled, or full and not sealed yet? */
  holds(manifest: ObligationId): boolean {
    return manifest === this.#id || this.#full.includes(manifest)
  }

  /** The manifest that takes this much more; begins another one when it does not fit within `limits`. */
  roomFor(more: Fill, limits: Fill): ObligationId {
    const { lines, tokens, bytes } = this.#fill
    const fits =
      lines + more.lines <= limits.lines &&
      tokens + more.tokens <= limits.tokens &&
      bytes + more.bytes <= limits.bytes
    if (!fits && lines > 0) this.#rotate()
    this.#id ??= this.#deps.newId()
    return this.#id
  }

  /** Counts what went into it. What went into one that is not filled any more needs no counting. */
  note(manifest: ObligationId, texts: readonly LineText[]): void {
    if (manifest !== this.#id || texts.length === 0) return
    if (this.#fill.lines === 0) this.#sinceMs = this.#deps.nowMs()
    const added = fillOf(texts, this.#deps.lineBytes)
    const { lines, tokens, bytes } = this.#fill
    this.#fill = { lines: lines + added.lines, tokens: tokens + added.tokens, bytes: bytes + added.bytes }
  }

  /**
   * The ledger has it, with so many documents. An admission whose answer was lost is not answered again when nothing of it
   * is left for the request: what went into the manifest would wait for ever for company.
   */
  found(manifest: ObligationId, documents: number): void {
    if (manifest !== this.#id || this.#fill.lines > 0 || documents === 0) return
    this.#sinceMs = this.#deps.nowMs()
    this.#fill = { ...this.#fill, lines: documents }
  }

  /** The ledger does not let it grow any more: it was sealed, switched off, or belongs to another life. */
  closed(manifest: ObligationId): void {
    if (manifest === this.#id) this.#begin()
  }

  /** Those to be sealed now: full ones, and the one that has waited for company long enough. */
  takeDue(sealAfterMs: number): readonly ObligationId[] {
    const isOld = this.#fill.lines > 0 && this.#deps.nowMs() - this.#sinceMs >= sealAfterMs
    if (isOld) this.#rotate()
    return this.#full.splice(0)
  }

  #rotate(): void {
    if (this.#id !== undefined) this.#full.push(this.#id)
    this.#begin()
  }

  #begin(): void {
    this.#id = undefined
    this.#fill = nothing
  }
}

export function textOf({ logged, part }: Item): LineText {
  return { text: logged.document.text, tokens: part.tokens }
}

export function fillOf(texts: readonly LineText[], lineBytes: (text: string) => number): Fill {
  let fill = nothing
  for (const { text, tokens } of texts) {
    const { lines, bytes } = fill
    fill = { lines: lines + 1, tokens: fill.tokens + tokens, bytes: bytes + lineBytes(text) }
  }
  return fill
}
