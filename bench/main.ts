// `npm run bench -- NAME [--json]`: one measurement, on this machine, against real components. Progress goes to
// standard error; with --json the result is the one line on standard output.
import { parseArgs } from 'node:util'

/** What a benchmark measured: keys as documented in docs/benchmarks.md. */
export type Figures = Readonly<Record<string, unknown>>

export interface BenchContext {
  /** Progress for a person, on standard error. */
  readonly say: (line: string) => void
  readonly signal: AbortSignal
  /** Arguments after the name that `main` does not know. */
  readonly args: readonly string[]
}

export type Bench = (context: BenchContext) => Promise<Figures>

const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {}

const usage = `usage: npm run bench -- NAME [--json]\nNAME: ${Object.keys(benches).join(' | ')}`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { json: { type: 'boolean' }, help: { type: 'boolean' } }
})
const [name = '', ...args] = positionals
const load = benches[name]

if (load === undefined || values['help'] === true) {
  console.error(usage)
  process.exit(values['help'] === true ? 0 : 2)
}
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const { bench } = await load()
const figures = await bench({ say: line => console.error(line), signal: stop.signal, args })
console.log(values['json'] === true ? JSON.stringify(figures) : JSON.stringify(figures, null, 2))
process.exit(0)
