// `npm run trace -- FILE [--json]`: gives the transitions of a ledger, as tests have collected them, to the specification.
// Exit codes: 0 each was accepted, 1 one was not, 2 usage.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { replayTrace } from './replay-trace.ts'

const args = process.argv.slice(2)
const isJson = args.includes('--json')
const [file, ...rest] = args.filter(argument => argument !== '--json')
if (file === undefined || rest.length > 0 || file.startsWith('-')) {
  console.error('usage: npm run trace -- FILE [--json]')
  process.exit(2)
}

const beganMs = performance.now()
const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
const { divergence, ...replayed } = await replayTrace(lines)
const seconds = (performance.now() - beganMs) / 1000
const perSecond = Math.round(replayed.transitions / seconds)
const accepted = divergence === undefined && replayed.transitions > 0
if (divergence !== undefined) {
  console.error(`not accepted: line ${divergence.line} of ${file}: ${divergence.because}`)
  console.error(inspect(divergence, { depth: 12, maxArrayLength: 40, breakLength: 120 }))
} else if (!accepted) {
  console.error(`${file} has no transitions`)
}
const result = { accepted, ...replayed, perSecond, divergence: divergence?.because }
console.log(isJson ? JSON.stringify(result) : inspect(result, { breakLength: 120 }))
process.exit(accepted ? 0 : 1)
