#!/usr/bin/env node
// `npx pointsman`, on whatever Node is there.

import { runPinned } from './run-pinned.mjs'

process.exit(
  await runPinned('services/controller/src/cli/main.ts', process.argv.slice(2), { readsTerminal: true })
)
