// Rules that every embedder keeps, and those of the realtime lane.
import type { Mutant } from './mutant.ts'

const finish = 'packages/core/src/lane/finish-work.ts'
const stream = 'packages/core/src/lane/lane-stream.ts'
const feed = 'packages/core/src/lane/lane-feed.ts'
const giveUp = 'packages/core/src/lane/give-up-parts.ts'
const purchase = 'services/embedder-realtime/src/vector-purchase.ts'

export const laneMutants: readonly Mutant[] = [
  {
    name: 'commitfrontier',
    rule: 'W is committed, not A',
    edits: [
      {
        file: stream,
        text: 'const watermarks = await ledger.watermarks()',
        replacement:
          'const watermarks = new Map([...(await ledger.state()).partitions].map(([p, { frontier }]) => [p, frontier]))'
      }
    ]
  },
  {
    name: 'settlefirst',
    rule: 'nothing is settled before the index has acknowledged it',
    edits: [
      {
        file: finish,
        text: 'const { rejected, stored } = await writeObjects(',
        replacement: `await this.#settle(settlements(writable, 'indexed'))
    const { rejected, stored } = await writeObjects(`
      }
    ]
  },
  {
    name: 'noclean',
    rule: 'what a new object replaces is removed after its write',
    edits: [{ file: finish, text: 'if (removals.length > 0) {', replacement: 'if (false) {' }]
  },
  {
    name: 'cleanall',
    rule: 'only objects of lower generations are removed',
    edits: [
      {
        file: finish,
        text: 'maxGeneration: part.generation,\n          keep: id',
        replacement: 'maxGeneration: Number.MAX_SAFE_INTEGER,\n          keep: id'
      }
    ]
  },
  {
    name: 'undoalways',
    rule: 'an own object is removed only if L is newer, not because the part is gone',
    edits: [
      {
        file: finish,
        text: "(answer?.kind === 'gone' && answer.newer)",
        replacement: "answer?.kind === 'gone'"
      }
    ]
  },
  {
    name: 'noundo',
    rule: 'an own object that was superseded while it was written is removed',
    edits: [{ file: finish, text: 'await this.#removeOwn(undone)', replacement: '' }]
  },
  {
    name: 'lateletter',
    rule: 'a dead letter is acknowledged before its part is settled',
    edits: [
      {
        file: giveUp,
        text: 'await gates.log.run(() => deadLetters.write(letters, signal), signal)',
        replacement: `const early = parts.map(part => ({ part, settlement: 'dead' }))
  await gates.ledger.run(() => ledger.settle(obligation, owner, early, 0), signal)`
      },
      {
        file: giveUp,
        text: 'await gates.ledger.run(() => ledger.settle(obligation, owner, outcomes, 0), signal)',
        replacement: 'await gates.log.run(() => deadLetters.write(letters, signal), signal)'
      }
    ]
  },
  {
    name: 'latejournal',
    rule: 'a paid attempt is journalled before it is sent',
    edits: [
      {
        file: purchase,
        text: "await this.#journal(signal)\n      hit('rt.pay')",
        replacement: "hit('rt.pay')"
      },
      {
        file: purchase,
        text: "hit('rt.response')",
        replacement: "hit('rt.response')\n      await this.#journal(signal)"
      }
    ]
  },
  {
    name: 'eagerletter',
    rule: 'a text is given up only after all its attempts',
    edits: [
      { file: purchase, text: 'if (this.#attempts >= this.#deps.maxAttempts) {', replacement: 'if (true) {' }
    ]
  },
  {
    name: 'swapped',
    rule: 'a vector belongs to the text at its place in the request',
    edits: [
      {
        file: purchase,
        text: 'const vector = answer.vectors[index]',
        replacement: 'const vector = answer.vectors[texts.length - 1 - index]'
      }
    ]
  },
  {
    name: 'noletter',
    rule: 'a record that can never be admitted gets its dead letter before the frontier passes it',
    edits: [{ file: feed, text: 'if (rejected.length > 0) await', replacement: 'if (false) await' }]
  }
]
