import { MemoryControlLog } from '@pointsman/core/adapters/memory/control-log'
import { expect, test } from 'vitest'
import { controlLogContract, controlLogOutageContract } from '../contract/control-log.ts'
import { anIntent, anOpened } from '../support/control-records.ts'

const never = new AbortController().signal

controlLogContract('memory', async () => {
  const log = new MemoryControlLog()
  return {
    open: () => log,
    appendText: async text => log.appendText(text),
    trim: async start => log.trim(start),
    makeAnew: async () => log.truncate(0n),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose]()
  }
})

controlLogOutageContract('memory', async () => {
  const log = new MemoryControlLog()
  return {
    log,
    beginOutage: async () => log.beginOutage(),
    endOutage: async () => log.endOutage()
  }
})

test('an append whose answer is lost is written, and fails; the next one does not', async () => {
  const log = new MemoryControlLog()
  log.loseNextAnswer()
  await expect(log.append(anIntent('a'), never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  await log.append(anIntent('b'), never)
  expect(await log.read(0n, never)).toMatchObject([
    { record: { switchId: 'a' } },
    { record: { switchId: 'b' } }
  ])
})

test('a truncated log goes on where it ends now', async () => {
  const log = new MemoryControlLog()
  for (const id of ['a', 'b', 'c']) await log.append(anIntent(id), never)
  log.truncate(1n)
  await expect(log.read(3n, never)).rejects.toMatchObject({ code: 'CONTROL_LOG_CUT' })
  await log.append(anOpened(), never)
  expect(await log.read(1n, never)).toEqual([{ offset: 1n, record: anOpened() }])
})
