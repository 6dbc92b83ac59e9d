/** What a benchmark measured: keys as documented in docs/benchmarks.md. */
export type Figures = Readonly<Record<string, unknown>>

export interface BenchContext {
  /** Progress for a person, on standard error. */
  readonly say: (line: string) => void
  /** Something that must not be was measured: told to the person, and the command ends with 1 after its figures. */
  readonly fail: (what: string) => void
  readonly signal: AbortSignal
  /** All arguments but the name and --json. */
  readonly args: readonly string[]
}

export type Bench = (context: BenchContext) => Promise<Figures>
