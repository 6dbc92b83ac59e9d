// `npm test`: every check of `npm run check`, then every test. The last line is the verdict, `N passed, N failed`; each
// check counts as one. What proves nothing counts as failed: a file that does not load, an unhandled error, a skipped
// test, no test at all.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noTests, type Counts } from './count-tests.ts'
import { runInGroup } from './run-in-group.ts'
import { runVitest } from './run-vitest.ts'

const root = join(import.meta.dirname, '../..')
const where = { cwd: root, env: process.env }
const filters = process.argv.slice(2)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))

const checks = await runChecks()
const tests = stop.signal.aborted
  ? noTests('interrupted')
  : await runVitest({ ...where, args: filters, skippingIsWanted: filters.length > 0 }, stop.signal)
for (const problem of [...checks.problems, ...tests.problems]) say(`FAILED ${problem}`)
say(`${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed`)
process.exitCode = checks.failed + tests.failed === 0 ? 0 : 1

async function runChecks(): Promise<Counts> {
  const manifest: { scripts: Record<string, string> } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8')
  )
  const problems: string[] = []
  let passed = 0
  for (const [name, command] of Object.entries(manifest.scripts)) {
    if (!name.startsWith('check:')) continue
    if (stop.signal.aborted) break
    const began = performance.now()
    const code = await runInGroup('/bin/sh', ['-c', command], where, stop.signal)
    say(`${code === 0 ? 'passed' : 'FAILED'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    if (code === 0) passed++
    else problems.push(name)
  }
  return { passed, failed: problems.length, problems }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
