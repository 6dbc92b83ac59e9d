import type { Verdict } from '@pointsman/core/ports/ledger'
import { expect, test } from 'vitest'
import { contents } from '../support/ledger-commands.ts'
import type { LedgerScene } from '../support/ledger-scene.ts'
import { candidateOf, digestOf } from '../support/ledger-scene.ts'

export function verdictContract(open: () => Promise<LedgerScene>): void {
  const embed = (generation: number, replaces = false): Verdict => ({
    kind: 'part',
    action: 'embed',
    generation,
    replaces
  })

  test('a document that was never seen is embedded, and one admitted before is said to be replaced', async () => {
    const scene = await open()
    expect((await scene.admit([{ doc: 'a', text: 'A', version: 7 }])).verdicts).toEqual([embed(7)])
    expect((await scene.admit([{ doc: 'a', text: 'B', version: 9 }])).verdicts).toEqual([embed(9, true)])
  })

  test('an older version is superseded, and one of the same version is newer', async () => {
    const scene = await open()
    await scene.admit([{ doc: 'a', text: 'A', version: 7 }])
    const { verdicts } = await scene.admit([
      { doc: 'a', text: 'B', version: 6 },
      { doc: 'a', text: 'B', version: 7 }
    ])
    expect(verdicts).toEqual([{ kind: 'superseded' }, embed(8, true)])
  })

  test('the same content is covered while it is open and unchanged when it is indexed; its version moves up', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A', version: 1 }])
    expect((await scene.admit([{ doc: 'a', text: 'A', version: 5 }])).verdicts).toEqual([{ kind: 'covered' }])
    await scene.finish(obligation)
    expect((await scene.admit([{ doc: 'a', text: 'A', version: 8 }])).verdicts).toEqual([
      { kind: 'unchanged' }
    ])

    const [latest] = await scene.ledger.latest([digestOf('a')])
    expect(latest).toEqual({
      version: 8,
      generation: 1,
      content: digestOf('A').slice(8),
      metadataHash: 1,
      status: 'indexed'
    })
    expect((await scene.admit([{ doc: 'a', text: 'B', version: 7 }])).verdicts).toEqual([
      { kind: 'superseded' }
    ])
  })

  test('other metadata of an indexed content are a copy under a generation of its own, unpaid', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A', version: 3 }])
    const { verdicts, obligation } = await scene.admit([{ doc: 'a', text: 'A', version: 4, metadataHash: 2 }])

    expect(verdicts).toEqual([{ kind: 'part', action: 'copy', generation: 4, replaces: true }])
    expect(await scene.statusOf('a')).toBe('open')
    await scene.finish(obligation)
    expect(await scene.statusOf('a')).toBe('indexed')
    expect((await scene.ledger.survey()).counts).toMatchObject({ copy: 1, embed: 1, necessaryTokens: 1 })
  })

  test('other metadata have a generation of their own also when versions tie', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A', version: 3 }])
    const { verdicts } = await scene.admit([{ doc: 'a', text: 'A', version: 3, metadataHash: 2 }])
    expect(verdicts).toEqual([{ kind: 'part', action: 'copy', generation: 4, replaces: true }])
  })

  test('other metadata of an open content are a generation of their own', async () => {
    const scene = await open()
    const first = await scene.admit([{ doc: 'a', text: 'A', version: 3 }])
    const second = await scene.admit([{ doc: 'a', text: 'A', version: 3, metadataHash: 2 }])

    expect(second.verdicts).toEqual([{ kind: 'elsewhere' }])
    const parts = await scene.ledger.parts(first.obligation)
    expect(parts.map(({ action, generation }) => [action, generation])).toEqual([
      ['embed', 3],
      ['share', 4]
    ])
    expect(await scene.ledger.superseded(parts)).toEqual([true, false])
  })

  test('a content that was given up is obtained anew', async () => {
    const scene = await open()
    const { obligation } = await scene.admit([{ doc: 'a', text: 'A', version: 3 }])
    await scene.settle(obligation, await scene.ledger.parts(obligation), 'dead')
    expect(await scene.statusOf('a')).toBe('dead')
    expect((await scene.admit([{ doc: 'a', text: 'A', version: 3 }])).verdicts).toEqual([embed(4, true)])
  })

  test('a text that comes back gets a generation of its own', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A', version: 1 }])
    await scene.index([{ doc: 'a', text: 'B', version: 1 }])
    const { verdicts } = await scene.index([{ doc: 'a', text: 'A', version: 1 }])
    expect(verdicts).toEqual([{ kind: 'part', action: 'copy', generation: 3, replaces: true }])
  })

  test('a tombstone is a delete, also of a document never seen, and once is enough', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A', version: 5 }])
    const deletion = (generation: number, replaces: boolean): Verdict => ({
      kind: 'part',
      action: 'delete',
      generation,
      replaces
    })

    const { verdicts, obligation } = await scene.admit([
      { doc: 'a', version: 5 },
      { doc: 'b', version: 2 },
      { doc: 'b', version: 3 }
    ])
    expect(verdicts).toEqual([deletion(6, true), deletion(2, false), { kind: 'covered' }])
    await scene.finish(obligation)
    expect((await scene.admit([{ doc: 'a', version: 7, metadataHash: 9 }])).verdicts).toEqual([
      { kind: 'unchanged' }
    ])
    expect((await scene.admit([{ doc: 'a', text: 'A', version: 8 }])).verdicts).toEqual([
      { kind: 'part', action: 'copy', generation: 8, replaces: true }
    ])
    const [latest] = await scene.ledger.latest([digestOf('b')])
    expect(latest).toMatchObject({ content: undefined, status: 'indexed', version: 3 })
  })

  test('I5 a text is paid for once: within an obligation, across obligations, and ever after', async () => {
    const scene = await open()
    const first = await scene.admit([
      { doc: 'a', text: 'same' },
      { doc: 'b', text: 'same' }
    ])
    expect(first.verdicts.map(verdict => verdict.kind === 'part' && verdict.action)).toEqual([
      'embed',
      'share'
    ])
    const second = await scene.admit([{ doc: 'c', text: 'same' }], { partition: 1, owner: scene.other })
    expect(second.verdicts).toEqual([{ kind: 'elsewhere' }])
    expect((await scene.obligation(first.obligation))?.parts).toEqual(
      new Map([
        [0, 2],
        [1, 1]
      ])
    )
    expect(await scene.obligation(second.obligation)).toBeUndefined()

    await scene.finish(first.obligation)
    const third = await scene.admit([{ doc: 'd', text: 'same' }])
    expect(third.verdicts).toEqual([{ kind: 'part', action: 'copy', generation: 1, replaces: false }])
  })

  test('payment keys whose 64 bits lie at the edges of integers are told apart', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const [some, rest] = [
      contents.filter((_, index) => index % 2 === 0),
      contents.filter((_, index) => index % 2 === 1)
    ]
    const candidates = some.map((content, index) => ({
      ...candidateOf({ doc: `d${index}`, text: '' }, BigInt(index)),
      content
    }))
    const obligation = scene.newId()
    await ledger.admit({
      epoch: 1,
      lane: 'realtime',
      owner,
      obligation,
      slices: [{ partition: 0, from: 0n, to: BigInt(some.length), candidates }]
    })
    await scene.finish(obligation)

    expect(await ledger.processed(some)).toEqual(some.map(() => true))
    expect(await ledger.processed(rest)).toEqual(rest.map(() => false))
  })

  test('64 bits tell the contents of one document apart, and more bits those of different documents', async () => {
    const scene = await open()
    const { ledger, owner } = scene
    const twins = contents.filter(content => content.endsWith('0020000000000001'))
    expect(twins).toHaveLength(2)
    const documents = [
      ['a', twins[0]],
      ['b', twins[1]],
      ['a', twins[1]]
    ] as const
    const candidates = documents.map(([doc, content], index) => ({
      ...candidateOf({ doc, text: '' }, BigInt(index)),
      content
    }))
    const answer = await ledger.admit({
      epoch: 1,
      lane: 'realtime',
      owner,
      obligation: scene.newId(),
      slices: [{ partition: 0, from: 0n, to: 3n, candidates }]
    })
    expect(answer).toEqual({ kind: 'admitted', verdicts: [[embed(1), embed(1), { kind: 'covered' }]] })
  })

  test('every verdict is counted', async () => {
    const scene = await open()
    await scene.index([{ doc: 'a', text: 'A', version: 2 }])
    await scene.admit([
      { doc: 'a', text: 'A', version: 2 },
      { doc: 'a', text: 'old', version: 1 },
      { doc: 'a', text: 'A', version: 2, metadataHash: 2 },
      { doc: 'a', text: 'A', version: 2, metadataHash: 2 },
      { doc: 'b', text: 'A' },
      { doc: 'c', text: 'C' },
      { doc: 'd', text: 'C' },
      { doc: 'e' }
    ])
    await scene.admit([{ doc: 'f', text: 'C' }])

    const verdicts = {
      unchanged: 1,
      superseded: 1,
      covered: 1,
      copy: 1,
      embed: 2,
      share: 3,
      delete: 1
    }
    expect((await scene.ledger.survey()).counts).toMatchObject({ admitted: 10, ...verdicts })
  })
}
