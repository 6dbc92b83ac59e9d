#!/usr/bin/env node
// `npx local-openai`, on whatever Node is there.

import { runPinned } from './run-pinned.mjs'

process.exit(await runPinned('packages/local-openai/src/main.ts', process.argv.slice(2)))
