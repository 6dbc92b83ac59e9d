// `npm run bench -- NAME [--json]`: one measurement, on this machine, against real components. Progress goes to
// standard error; with --json the result is the one line on standard output. Exit codes: 0 measured, 1 failed, or something
// that must not be was measured, 2 usage.
import type { Bench } from './bench.ts'

const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  batch: () => import('./batch.ts'),
  index: () => import('./index-settings.ts'),
  ledger: () => import('./ledger.ts'),
  producer: () => import('./producer.ts'),
  realtime: () => import('./realtime.ts'),
  rebuild: () => import('./rebuild.ts'),
  switch: () => import('./switch.ts')
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
const say = (line: string): void => console.error(line)
let exitCode = 0
const fail = (what: string): void => {
  say(`WRONG: ${what}`)
  exitCode = 1
}
const figures = await bench({ say, fail, signal: stop.signal, args })
console.log(rest.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2))
process.exit(exitCode)
