import { expect, test } from 'vitest'
import { countTests, type VitestReport } from '../../../tools/bootstrap/count-tests.ts'

const file = (name: string, status: string, message: string, ...statuses: string[]) => ({
  name,
  status,
  message,
  assertionResults: statuses.map((each, index) => ({ status: each, fullName: `test ${index}` }))
})

function report(...testResults: VitestReport['testResults'][number][]): VitestReport {
  const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status))
  const count = (wanted: string): number => statuses.filter(status => status === wanted).length
  return {
    numTotalTests: statuses.length,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    testResults
  }
}

test('a green run counts its tests', () => {
  const green = report(file('a', 'passed', '', 'passed', 'passed'), file('b', 'passed', '', 'passed'))

  expect(countTests(green, 0, false)).toEqual({ passed: 3, failed: 0, problems: [] })
})

test('a failed test counts once, though its file failed as well', () => {
  const red = report(file('a', 'failed', '', 'passed', 'failed'))

  expect(countTests(red, 1, false)).toEqual({ passed: 1, failed: 1, problems: [] })
})

test('a file that does not load counts as failed', () => {
  const broken = report(file('a', 'passed', '', 'passed'), file('b', 'failed', 'Cannot find module x\n at y'))

  expect(countTests(broken, 1, false)).toEqual({
    passed: 1,
    failed: 1,
    problems: ['b: Cannot find module x']
  })
})

test('an unhandled error counts as failed, though every test passed', () => {
  const unhandled = report(file('a', 'passed', '', 'passed'))

  expect(countTests(unhandled, 1, false)).toEqual({ passed: 1, failed: 1, problems: ['vitest ended with 1'] })
})

test('no test at all counts as failed', () => {
  expect(countTests(report(), 0, true)).toEqual({ passed: 0, failed: 1, problems: ['no test ran'] })
})

test('a skipped test counts as failed, unless a filter was given', () => {
  const skipped = report(file('a', 'passed', '', 'passed', 'skipped'))

  expect(countTests(skipped, 0, false)).toEqual({ passed: 1, failed: 1, problems: ['test 1: skipped'] })
  expect(countTests(skipped, 0, true)).toEqual({ passed: 1, failed: 0, problems: [] })
})
