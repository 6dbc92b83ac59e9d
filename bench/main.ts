// `npm run bench -- NAME [--json]`: one measurement, on this machine, against real components. Progress goes to
// standard error; with --json the result is the one line on standard output.
import type { Bench } from './bench.ts'

const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  batch: () => import('./batch.ts'),
  index: () => import('./index-settings.ts'),
  ledger: () => import('./ledger.ts'),
  producer: () => import('./producer.ts'),
  realtime: () => import('./realtime.ts')
}

const usage = `usage: npm run bench -- NAME [--json]\nNAME: ${Object.keys(benches).join(' | ')}`

const [name = '', ...rest] = process.argv.slice(2)
const load = benches[name]

if (load === undefined) {
  console.error(usage)
  process.exit(name === '--help' ? 0 : 2)
}
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const { bench } = await load()
const args = rest.filter(argument => argument !== '--json')
const figures = await bench({ say: line => console.error(line), signal: stop.signal, args })
console.log(rest.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2))
process.exit(0)
