// `node tools/bootstrap/run.mjs start|test|compose|stack|trace|bench|chaos|simulate|mutants|pointsman [arguments]`: what the
// scripts of package.json call.
// Needs nothing but Node >= 18 and npm: installs the packages and the pinned Node when they are missing or out of date.

import { runPinned } from './run-pinned.mjs'

const targets = {
  start: { script: 'tools/demo/main.ts' },
  test: { script: 'tools/bootstrap/test.ts' },
  compose: { script: 'tools/compose/main.ts' },
  stack: { script: 'tools/stack/main.ts' },
  trace: { script: 'tools/trace/main.ts' },
  bench: { script: 'bench/main.ts' },
  chaos: { script: 'tools/chaos/main.ts' },
  simulate: { script: 'tools/simulate/main.ts' },
  mutants: { script: 'tools/mutants/main.ts' },
  pointsman: { script: 'services/controller/src/cli/main.ts', readsTerminal: true }
}

const [name, ...args] = process.argv.slice(2)
if (name === undefined || !Object.hasOwn(targets, name)) {
  process.stderr.write(`usage: node tools/bootstrap/run.mjs ${Object.keys(targets).join('|')} [arguments]\n`)
  process.exit(2)
}
const { script, ...options } = targets[name]
process.exit(await runPinned(script, args, options))
