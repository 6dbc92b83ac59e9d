// `npm test`: every check of `npm run check`, then every test. The last line is the verdict, `N passed, N failed`; each
// check counts as one. What proves nothing counts as failed: a file that does not load, an unhandled error, a skipped
// test, no test at all.

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countTests, noTests, type Counts } from './count-tests.ts'

const root = join(import.meta.dirname, '../..')
const reportFolder = await mkdtemp(join(tmpdir(), 'pointsman-test-'))
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))

try {
  const checks = await runChecks()
  const tests = stop.signal.aborted ? noTests('interrupted') : await runTests(process.argv.slice(2))
  for (const problem of [...checks.problems, ...tests.problems]) say(`FAILED ${problem}`)
  say(`${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed`)
  process.exitCode = checks.failed + tests.failed === 0 ? 0 : 1
} finally {
  await rm(reportFolder, { recursive: true, force: true })
}

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
    const code = await run('/bin/sh', ['-c', command])
    say(`${code === 0 ? 'passed' : 'FAILED'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
    if (code === 0) passed++
    else problems.push(name)
  }
  return { passed, failed: problems.length, problems }
}

async function runTests(args: readonly string[]): Promise<Counts> {
  const reportPath = join(reportFolder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const code = await run('vitest', ['run', ...reporters, ...args])
  const report = await readFile(reportPath, 'utf8').catch(() => undefined)
  if (report === undefined) return noTests(`vitest ended with ${code} and left no report`)
  // A filter skips tests on purpose.
  return countTests(JSON.parse(report), code, args.length > 0)
}

/** @returns the exit code; for a program that was killed, something else than 0. */
function run(file: string, args: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  // A process group of its own: the shell of a check does not pass signals on to what it runs.
  const child = spawn(file, args, { cwd: root, detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const pass = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  }
  stop.signal.addEventListener('abort', pass, { once: true })
  child.once('error', error => {
    say(`cannot run ${file}: ${error.message}`)
    resolve(127)
  })
  child.once('close', code => resolve(code ?? 1))
  return promise.finally(() => stop.signal.removeEventListener('abort', pass))
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
