// `npm run test:compose`: the compose file on a real Docker engine. The last line is the verdict, `N passed, N failed`.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { lock } from '../bootstrap/lock.mjs'
import { runVitest } from '../bootstrap/run-vitest.ts'
import { cacheRoot } from '../stack/cache.ts'
import { StackError } from '../stack/stack-error.ts'
import { ComposeError } from './compose-error.ts'
import { openEngine } from './engine.ts'
import { imageNames } from './image-names.ts'
import { provideImages } from './provide-images.ts'
import { pruneBuilds, sweep } from './sweep.ts'

const root = join(import.meta.dirname, '../..')
const began = performance.now()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))

try {
  process.exitCode = await main()
} catch (error) {
  const forPeople = error instanceof ComposeError || error instanceof StackError
  say(`FAILED ${forPeople ? error.message : String(error instanceof Error ? error.stack : error)}`)
  process.stdout.write('0 passed, 1 failed\n')
  process.exitCode = 1
}

async function main(): Promise<number> {
  const folder = join(cacheRoot(process.env), 'docker')
  await mkdir(folder, { recursive: true })
  const release = await lock(join(folder, 'compose.lock'), {
    onWait: () => say('another test of the compose file is running; waiting for it'),
    signal: stop.signal
  })
  try {
    await using engine = await openEngine({ env: process.env, folder, say }, stop.signal)
    await sweep(engine.env, stop.signal)
    const names = await imageNames(root, engine.env, stop.signal)
    await using images = await provideImages(names, { engine, folder, say }, stop.signal)
    say(`images are there; stand-ins: ${images.standIns.join(', ') || 'none'}`)
    const filters = process.argv.slice(2)
    const args = ['--config', 'vitest.compose.config.ts', ...filters]
    const run = { cwd: root, env: engine.env, args, skippingIsWanted: filters.length > 0 }
    const counts = await runVitest(run, stop.signal)
    // Whoever interrupts it has ended the test in the middle.
    const { signal } = new AbortController()
    await sweep(engine.env, signal)
    if (engine.isOwn) await pruneBuilds(engine.env, signal)
    for (const problem of counts.problems) say(`FAILED ${problem}`)
    say(`${counts.passed} passed, ${counts.failed} failed`)
    return counts.failed === 0 ? 0 : 1
  } finally {
    await release()
  }
}

function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(/ passed, .* failed$/.test(line) ? `${line}\n` : `[${seconds} s] ${line}\n`)
}
