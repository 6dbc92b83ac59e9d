/** What a run of checks or tests came to. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  /** A line for each failure that is not already in the output above. */
  readonly problems: readonly string[]
}

/** The part of vitest's JSON report that is counted. */
export interface VitestReport {
  readonly numTotalTests: number
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export function noTests(problem: string): Counts {
  return { passed: 0, failed: 1, problems: [problem] }
}

/**
 * @param exitCode - of vitest: not 0 although no test failed means an unhandled error or a broken set-up.
 * @param skippingIsWanted - a filter was given, so that skipped tests are no omission.
 */
export function countTests(report: VitestReport, exitCode: number, skippingIsWanted: boolean): Counts {
  const { numPassedTests: passed, numFailedTests, testResults } = report
  const broken = testResults
    .filter(file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'))
    .map(file => `${file.name}: ${file.message.split('\n', 1)[0] ?? ''}`)
  const skipped = testResults
    .flatMap(file => file.assertionResults)
    .filter(test => test.status !== 'passed' && test.status !== 'failed')
    .map(test => `${test.fullName}: ${test.status}`)
  const problems = [...broken, ...(skippingIsWanted ? [] : skipped)]
  if (passed + numFailedTests === 0) problems.push('no test ran')
  const failed = numFailedTests + problems.length
  if (failed === 0 && exitCode !== 0)
    return { passed, failed: 1, problems: [`vitest ended with ${exitCode}`] }
  return { passed, failed, problems }
}
