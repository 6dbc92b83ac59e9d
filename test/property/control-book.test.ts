// What the control log says, whatever has been written to it: repetitions, late writes of controllers that were paused.
import { MemoryControlLog } from '@pointsman/core/adapters/memory/control-log'
import type { SwitchOutcome } from '@pointsman/core/ports/control-log'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ControlBook } from '../../services/controller/src/switching/control-book.ts'
import { anIntent, anOutcome } from '../support/control-records.ts'

const never = new AbortController().signal

const record = fc.record({
  kind: fc.constantFrom('intent' as const, 'outcome' as const),
  switchId: fc.constantFrom('a', 'b', 'c'),
  result: fc.constantFrom<SwitchOutcome['result']>('completed', 'aborted', 'refused')
})

test('of several intents of one id the first counts, of several outcomes likewise', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 20 }), fc.nat(20), async (records, readsAt) => {
      const log = new MemoryControlLog()
      const book = new ControlBook(log)
      const first = new Map<string, { readonly epoch: number; result?: SwitchOutcome['result'] }>()
      for (const [index, { kind, result, switchId }] of records.entries()) {
        // Nothing depends on when it is read.
        if (index === readsAt) await book.catchUp(never)
        if (kind === 'intent') {
          await log.append(anIntent(switchId), never)
          if (!first.has(switchId)) first.set(switchId, { epoch: index + 1 })
        } else {
          await log.append(anOutcome(switchId, { result }), never)
          const known = first.get(switchId)
          if (known !== undefined) known.result ??= result
        }
      }
      await book.catchUp(never)
      for (const switchId of ['a', 'b', 'c']) {
        const found = book.find(switchId)
        const told = found && { epoch: found.epoch, result: found.outcome?.result }
        const wanted = first.get(switchId)
        expect(told).toEqual(wanted && { epoch: wanted.epoch, result: wanted.result })
      }
    })
  )
})
