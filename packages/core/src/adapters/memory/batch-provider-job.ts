// One job of the provider in memory: its life, what becomes of its lines, and which of them are paid.
import type { BatchLine, JobError, JobKey, JobStatus } from '../../ports/batch-provider.ts'

/**
 * What becomes of a line instead of a good vector.
 * - `failed` an error of the provider's; `rejected` a refusal of the text; both unpaid and in the error file.
 * - `missing` unpaid and in no file; `lost` paid and in no file.
 * - `repeated` paid once, there twice.
 * - `empty`, `wrong-length`, `not-finite`, `zero` paid, and no usable vector.
 */
export type LineFault =
  | 'failed'
  | 'rejected'
  | 'missing'
  | 'lost'
  | 'repeated'
  | 'empty'
  | 'wrong-length'
  | 'not-finite'
  | 'zero'

/** How a job goes. Without a plan every line succeeds. */
export interface JobPlan {
  /** How it ends when nobody cancels it; `completed` by default. */
  readonly ending?: 'completed' | 'expired'
  /** Share of the lines, the first ones, that run before it expires or is cancelled; a half by default. */
  readonly share?: number
  /** Lines that did not run are named in the error file by default. */
  readonly unrun?: 'failed' | 'missing'
  readonly line?: (line: BatchLine, index: number) => LineFault | undefined
  /** Lines in the output file that name nothing we know. */
  readonly strangers?: number
  /** It fails validation with these. */
  readonly errors?: readonly JobError[]
  /** So many reports of its end name no files yet. */
  readonly lateFiles?: number
  /** Its reports say `word` while it runs: a status that nobody knows. */
  readonly word?: string
}

/** A line of the output or the error file. */
export interface ResultLine {
  readonly line: BatchLine
  readonly fault: LineFault | 'expired' | 'cancelled' | undefined
}

export interface MemoryJobParts {
  readonly batchId: string
  readonly key: JobKey
  readonly inputFileId: string
  readonly createdMs: number
  readonly plan: JobPlan
  /** Why the input cannot run, or its lines. Asked when validation ends. */
  readonly validate: () => { readonly errors: readonly JobError[]; readonly lines: readonly BatchLine[] }
  /** Fault of a line that its text causes. */
  readonly faultOf: (text: string) => LineFault | undefined
  /** @returns the tokens that it cost. */
  readonly pay: (line: BatchLine) => number
}

const ended: ReadonlySet<JobStatus> = new Set(['completed', 'failed', 'expired', 'cancelled'])

export class MemoryJob {
  readonly batchId: string
  readonly key: JobKey
  readonly inputFileId: string
  readonly createdMs: number
  readonly plan: JobPlan
  readonly #parts: MemoryJobParts
  #status: JobStatus = 'validating'
  #lines: readonly BatchLine[] = []
  #errors: readonly JobError[] = []
  #output: readonly ResultLine[] = []
  #errorLines: readonly ResultLine[] = []
  #paidTokens = 0
  #reportsOfEnd = 0
  /** Lines that had run when the job was cancelled. */
  #done = 0

  constructor(parts: MemoryJobParts) {
    this.batchId = parts.batchId
    this.key = parts.key
    this.inputFileId = parts.inputFileId
    this.createdMs = parts.createdMs
    this.plan = parts.plan
    this.#parts = parts
  }

  get status(): JobStatus {
    return this.#status
  }

  get hasEnded(): boolean {
    return ended.has(this.#status)
  }

  get lines(): readonly BatchLine[] {
    return this.#lines
  }

  get errors(): readonly JobError[] {
    return this.#errors
  }

  /** Lines of the output file; repeated ones stand there twice. */
  get output(): readonly ResultLine[] {
    return this.#output
  }

  get errorLines(): readonly ResultLine[] {
    return this.#errorLines
  }

  /** Undefined until it has ended. */
  get paidTokens(): number | undefined {
    return this.hasEnded ? this.#paidTokens : undefined
  }

  /** Whether a report may name the files by now; counts the asking. */
  namesFiles(): boolean {
    if (!this.hasEnded) return false
    this.#reportsOfEnd += 1
    return this.#reportsOfEnd > (this.plan.lateFiles ?? 0)
  }

  /** Goes to a status, through validation when it has not passed it; what cannot be any more changes nothing. */
  advance(to: JobStatus): void {
    if (this.hasEnded || to === this.#status) return
    if (to === 'cancelling') {
      this.#done = this.#status === 'validating' ? 0 : this.#share()
      if (this.#status === 'validating') this.#lines = this.#parts.validate().lines
      this.#status = to
      return
    }
    if (this.#status === 'validating' && !this.#passesValidation()) return
    if (to === 'completed') this.#run(this.#lines.length, 'expired')
    if (to === 'expired') this.#run(this.#share(), 'expired')
    if (to === 'cancelled') this.#run(this.#status === 'cancelling' ? this.#done : this.#share(), 'cancelled')
    this.#status = to
  }

  /** One step towards its end. */
  step(): void {
    const ending = this.plan.ending ?? 'completed'
    const next: Partial<Record<JobStatus, JobStatus>> = {
      validating: 'in_progress',
      in_progress: ending === 'expired' ? 'expired' : 'finalizing',
      finalizing: ending,
      cancelling: 'cancelled'
    }
    this.advance(next[this.#status] ?? this.#status)
  }

  /** To its end. */
  finish(): void {
    while (!this.hasEnded) this.step()
  }

  #share(): number {
    return Math.floor(this.#lines.length * (this.plan.share ?? 0.5))
  }

  #passesValidation(): boolean {
    const { errors, lines } = this.#parts.validate()
    this.#errors = this.plan.errors ?? errors
    this.#lines = lines
    if (this.#errors.length === 0) return true
    this.#status = 'failed'
    return false
  }

  #run(count: number, otherwise: 'expired' | 'cancelled'): void {
    const output: ResultLine[] = []
    const errorLines: ResultLine[] = []
    for (const [index, line] of this.#lines.entries()) {
      if (index >= count) {
        if (this.plan.unrun !== 'missing') errorLines.push({ line, fault: otherwise })
        continue
      }
      const fault = this.plan.line?.(line, index) ?? this.#parts.faultOf(line.text)
      if (fault === 'missing') continue
      if (fault === 'failed' || fault === 'rejected') {
        errorLines.push({ line, fault })
        continue
      }
      this.#paidTokens += this.#parts.pay(line)
      if (fault === 'lost') continue
      output.push({ line, fault })
      if (fault === 'repeated') output.push({ line, fault })
    }
    this.#output = output
    this.#errorLines = errorLines
  }
}
