import { hash } from 'node:crypto'
import type { Document } from '@pointsman/core/domain/document'
import { expect, test } from 'vitest'
import { admitted } from '../support/batch-traffic.ts'
import { expectAllIsWell } from '../support/expect-all-is-well.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { aText } from '../support/memory-lane.ts'
import { RealLane } from '../support/real-lane.ts'

const good = Array.from({ length: 150 }, (_, index) => aText(`good${index}`, 1, `good text ${index}`))

/** Whatever its producer says of it. */
function told(docId: string, text: string, told: Partial<Document>): Document {
  return { ...aText(docId, 1, text), ...told }
}

test('bad texts are refused before they are admitted, each with its reason, and the rest goes on', async () => {
  await using lane = await RealLane.open(injectedServers(), 0, 'batch')
  await lane.emit(good.slice(0, 75))
  await lane.emitUnaudited([
    told('long', 'word '.repeat(9_000), { tokens: 9_001 }),
    told('empty', '', { tokens: 0 }),
    told('blank', ' \n\t', { tokens: 1 }),
    told('nul', 'before \0 after', {}),
    // As a producer in another language may have written and hashed it: half of a pair, in its own three bytes.
    told('surrogate', `half \ufffd a pair`, {
      textHash: hash('sha256', Buffer.from('68616c6620eda080', 'hex'))
    }),
    told('altered', 'this text', { textHash: aText('x', 1, 'that text').textHash })
  ])
  await lane.emit(good.slice(75))
  lane.startEmbedder('one')
  await admitted(lane, good.length)
  await expectAllIsWell(lane)

  expect(await lane.givenUp()).toEqual({
    long: '9001 tokens: an input has 1 to 8191',
    empty: 'the text is empty',
    blank: 'the text is empty',
    nul: 'the text holds a NUL character',
    surrogate: 'the text does not match its hash: it is not valid UTF-8',
    altered: 'the text does not match its hash'
  })
})

test('what the provider refuses, or answers with what is no vector, is dead with its reason, and the rest goes on', async () => {
  await using lane = await RealLane.open(injectedServers(), 0, 'batch')
  await lane.provider.put('/faults', {
    seed: 1,
    rules: [
      { kind: 'wrong_dimensions', route: 'lines', containing: 'cut short' },
      { kind: 'wrong_dimensions', route: 'lines', containing: 'drawn out', by: 1 },
      { kind: 'nan', route: 'lines', containing: 'not a number' },
      { kind: 'zero_vector', route: 'lines', containing: 'nothing' }
    ]
  })
  await lane.emit(good)
  await lane.emitUnaudited([
    // Counted wrongly by its producer, so that only the provider knows.
    told('long', 'word '.repeat(9_000).trim(), { tokens: 100 }),
    aText('short', 1, 'will be cut short'),
    aText('more', 1, 'will be drawn out'),
    aText('nan', 1, 'this is not a number'),
    aText('zero', 1, 'there is nothing in it'),
    aText('other', 1, 'there is nothing in it')
  ])
  lane.startEmbedder('one')
  await expectAllIsWell(lane)

  expect(await lane.givenUp()).toEqual({
    long: "status 400: invalid_request_error: Invalid 'input': maximum input length is 8192 tokens.",
    short: 'paid for and not usable: the vector has 252 bytes, not the 256 of 64 dimensions',
    more: 'paid for and not usable: the vector has 260 bytes, not the 256 of 64 dimensions',
    nan: 'paid for and not usable: the vector has a component that is not finite',
    zero: 'paid for and not usable: the vector is all zero',
    other: 'paid for and not usable: the vector is all zero'
  })
})
