import { expect, test } from 'vitest'
import { call, tryCall } from '../../../tools/compose/call.ts'

const options = { env: process.env }
const { signal } = new AbortController()

test('a call gives back standard output', async () => {
  expect(await call('/bin/sh', ['-c', 'echo out; echo err >&2'], options, signal)).toBe('out\n')
})

test('a call that fails tells what was written to standard error', async () => {
  const failing = ['-c', 'echo out; echo because >&2; exit 3']
  await expect(call('/bin/sh', failing, options, signal)).rejects.toThrow('because')
  expect(await tryCall('/bin/sh', failing, options, signal)).toBeUndefined()
})

test('a program that is not there is a failed call', async () => {
  expect(await tryCall('no-such-program', [], options, signal)).toBeUndefined()
})

test('an abort is no failed call', async () => {
  const stop = new AbortController()
  const waiting = tryCall('/bin/sh', ['-c', 'read line'], options, stop.signal)
  stop.abort()
  await expect(waiting).rejects.toThrow('aborted')
})
