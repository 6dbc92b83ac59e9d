import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countTests, noTests, type Counts } from './count-tests.ts'
import { runInGroup, type RunOptions } from './run-in-group.ts'

export interface VitestRun extends RunOptions {
  readonly args: readonly string[]
  /** A filter was given, so that skipped tests are no omission. */
  readonly skippingIsWanted: boolean
}

/** Runs vitest, whose own report is shown, and counts what it did. */
export async function runVitest(
  { args, skippingIsWanted, ...options }: VitestRun,
  signal: AbortSignal
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'pointsman-test-'))
  try {
    const reportPath = join(folder, 'report.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
    const code = await runInGroup('vitest', ['run', ...reporters, ...args], options, signal)
    const report = await readFile(reportPath, 'utf8').catch(() => undefined)
    if (report === undefined) return noTests(`vitest ended with ${code} and left no report`)
    return countTests(JSON.parse(report), code, skippingIsWanted)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
