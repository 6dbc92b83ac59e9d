import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Expectation, type Produced } from '../../../tools/chaos/expectation.ts'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

function expecting(
  ...documents: readonly (readonly [docId: string, version: number, text: string])[]
): Expectation {
  const expectation = new Expectation()
  for (const [docId, version, text] of documents) expectation.note(produced(docId, version, text))
  return expectation
}

/** Without a text: a tombstone. */
function produced(docId: string, version: number, text: string): Produced {
  return { docId, version, text, title: '', metadata: '{}', deleted: text === '' }
}

test('the newest version counts, in whatever order versions come', () => {
  const { newest } = expecting(['a', 2, 'new'], ['a', 1, 'old'])
  expect(newest.get('a')).toMatchObject({ version: 2, text: 'new' })
})

test('a text that nobody ever leaves is necessary once, however many have it', () => {
  const expectation = expecting(['a', 1, 'same'], ['b', 1, 'same'], ['a', 2, 'same'])
  expect(expectation.necessary(hashOf('same'))).toBe(1)
})

test('a text to which a document returns may be necessary again', () => {
  const expectation = expecting(['a', 1, 'first'], ['a', 2, 'second'], ['a', 3, 'first'], ['b', 1, 'other'])
  expect(expectation.necessary(hashOf('first'))).toBe(2)
  expect(expectation.necessary(hashOf('second'))).toBe(1)
  expect(expectation.necessary(hashOf('other'))).toBe(1)
})

test('a text that is deleted and comes back may be necessary again; one that was never produced is not', () => {
  const expectation = expecting(['a', 1, 'gone'], ['a', 2, ''], ['a', 3, 'gone'])
  expect(expectation.necessary(hashOf('gone'))).toBe(2)
  expect(expectation.necessary(hashOf('strange'))).toBe(0)
  expect(expectation.isKnown(hashOf('strange'))).toBe(false)
})

test('what was poisoned at any time is known', () => {
  const { poisoned } = expecting(['a', 1, 'poisonous'], ['a', 2, 'fine'], ['b', 1, 'fine'])
  expect([...poisoned]).toEqual(['a'])
})
