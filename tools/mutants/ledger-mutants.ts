// Rules that the ledger alone keeps. They are planted in its specification; that Redis answers alike is shown by
// `test/integration/ledger-model.test.ts`.
import type { Mutant } from './mutant.ts'

const folder = 'packages/core/src/adapters/memory'
const admit = `${folder}/ledger-admit.ts`
const handover = `${folder}/ledger-handover.ts`
const manifests = `${folder}/ledger-manifests.ts`
const move = `${folder}/ledger-move.ts`
const settle = `${folder}/ledger-settle.ts`
const state = `${folder}/ledger-state.ts`
const cut = `${folder}/ledger-switch.ts`

export const ledgerMutants: readonly Mutant[] = [
  {
    name: 'noepoch',
    rule: 'epoch and lane are checked at admission',
    edits: [
      { file: admit, text: 'if (epoch !== state.epoch || !inLane) return', replacement: 'if (false) return' }
    ]
  },
  {
    name: 'oldepoch',
    rule: 'an old epoch is refused, also when the lane is the right one',
    edits: [
      {
        file: admit,
        text: 'if (epoch !== state.epoch || !inLane) return',
        replacement: 'if (!inLane) return'
      }
    ]
  },
  {
    name: 'nodrain',
    rule: 'nothing is admitted while a switch drains',
    edits: [
      { file: admit, text: "if (state.draining !== undefined) return { kind: 'draining' }", replacement: '' }
    ]
  },
  {
    name: 'nopause',
    rule: 'nothing is admitted while the ledger is paused',
    edits: [{ file: admit, text: 'if (state.pause !== undefined) return', replacement: 'if (false) return' }]
  },
  {
    name: 'stranger',
    rule: 'only a registered life admits',
    edits: [{ file: admit, text: 'if (!state.owners.has(owner)) return', replacement: 'if (false) return' }]
  },
  {
    name: 'nofrontier',
    rule: 'admission compares with A and sets it in one step',
    edits: [{ file: admit, text: 'if (frontiers.size > 0) return', replacement: 'if (false) return' }]
  },
  {
    name: 'noanswer',
    rule: 'a repeated admission gets the answer of the first',
    edits: [
      {
        file: admit,
        text: 'if (known?.answer !== undefined && known.owner === admission.owner) {',
        replacement: 'if (false) {'
      }
    ]
  },
  {
    name: 'growsealed',
    rule: 'a manifest that is sealed takes no further texts',
    edits: [
      {
        file: admit,
        text: "(record.state !== 'open' || record.owner !== owner)",
        replacement: 'record.owner !== owner'
      }
    ]
  },
  {
    name: 'lowfrontier',
    rule: 'A passes the holes at the end of a slice',
    edits: [
      {
        file: admit,
        text: 'partitionRecord.frontier = to',
        replacement: 'partitionRecord.frontier = (candidates.at(-1)?.offset ?? to - 1n) + 1n'
      }
    ]
  },
  {
    name: 'noshare',
    rule: 'a part joins the obligation that already pays for its text',
    edits: [
      {
        file: admit,
        text: 'if (paying !== undefined && payer !== undefined) {',
        replacement: 'if (false) {'
      }
    ]
  },
  {
    name: 'lateversion',
    rule: 'a version below the newest admitted one is superseded',
    edits: [
      {
        file: admit,
        text: 'if (latest !== undefined && latest.version > version) return',
        replacement: 'if (false) return'
      }
    ]
  },
  {
    name: 'tiedversion',
    rule: 'of two equal versions the later admitted is newer',
    edits: [{ file: admit, text: 'latest.version > version', replacement: 'latest.version >= version' }]
  },
  {
    name: 'tiedgeneration',
    rule: 'a generation is never given twice, also when versions tie',
    edits: [{ file: admit, text: 'Math.max(version, latest.generation + 1)', replacement: 'version' }]
  },
  {
    name: 'metainplace',
    rule: 'other metadata have a generation, and so an object, of their own',
    edits: [
      {
        file: admit,
        text: 'Math.max(version, latest.generation + 1)',
        replacement: 'sameContent ? latest.generation : Math.max(version, latest.generation + 1)'
      }
    ]
  },
  {
    name: 'earlyprocessed',
    rule: 'a payment key is processed when its object is in the index, not before',
    edits: [
      {
        file: admit,
        text: 'state.paying.set(content, { obligation: taker.id, parts: 1 })',
        replacement:
          'state.paying.set(content, { obligation: taker.id, parts: 1 }); state.processed.add(content)'
      }
    ]
  },
  {
    name: 'stealalive',
    rule: 'what a life holds is taken over only after its lease ran out',
    edits: [
      {
        file: state,
        text: 'return record === undefined || record.leaseUntilMs <= nowMs',
        replacement: 'return true'
      }
    ]
  },
  {
    name: 'anylane',
    rule: 'an orphan is adopted in the lane of its partition, with the current epoch',
    edits: [
      {
        file: handover,
        text: 'if (epoch !== state.epoch || state.partitions.get(lowest)?.lane !== lane) return',
        replacement: 'if (false) return'
      }
    ]
  },
  {
    name: 'norest',
    rule: 'an orphan is not adopted before its time',
    edits: [
      {
        file: handover,
        text: "return record.notBeforeMs <= nowMs ? undefined : 'alive'",
        replacement: 'return undefined'
      }
    ]
  },
  {
    name: 'earlyrelease',
    rule: 'while a job may run, its manifest keeps its parts',
    edits: [
      {
        file: manifests,
        text: "return kind !== 'manifest' || (state !== 'submitting' && state !== 'submitted')",
        replacement: 'return true'
      }
    ]
  },
  {
    name: 'earlyarchive',
    rule: 'a manifest that has parts is not archived',
    edits: [
      {
        file: manifests,
        text: "if (to === 'archived' && record.parts.size > 0) return 'refused'",
        replacement: ''
      }
    ]
  },
  {
    name: 'leftbehind',
    rule: 'parts that wait for one vector move together',
    edits: [
      {
        file: move,
        text: 'const shares = needsVector(part) && contents.has(part.content)',
        replacement: 'const shares = false'
      }
    ]
  },
  {
    name: 'oldpayer',
    rule: 'who pays for a text moves with its parts',
    edits: [
      {
        file: move,
        text: 'state.paying.set(part.content, { obligation: target.id, parts: waiting })',
        replacement: 'state.paying.set(part.content, { obligation: source.id, parts: waiting })'
      }
    ]
  },
  {
    name: 'nopostcheck',
    rule: 'settle looks at the newest version again',
    edits: [
      {
        file: settle,
        text: "if (settlement === 'indexed' && standing === 'newer') return 'superseded'",
        replacement: ''
      }
    ]
  },
  {
    name: 'freeskip',
    rule: 'nothing excuses from work on a content that L still names',
    edits: [
      {
        file: settle,
        text: "return settlement === 'skipped' && unfinished ? 'current' : undefined",
        replacement: 'return undefined'
      }
    ]
  },
  {
    name: 'earlyforget',
    rule: 'a text is being paid for until the last part that waits for it is settled',
    edits: [
      { file: settle, text: 'if (parts === 0) state.paying', replacement: 'if (parts >= 0) state.paying' }
    ]
  },
  {
    name: 'nomore',
    rule: 'the owner is told of parts that joined',
    edits: [
      {
        file: settle,
        text: 'const more = [...record.joined].slice(0, maxMore)',
        replacement: 'const more = [...record.joined].slice(0, 0)'
      }
    ]
  },
  {
    name: 'onepartition',
    rule: 'a switch is one step over all its partitions (the mutant dies after the first)',
    edits: [
      {
        file: cut,
        text: 'for (const [partition, lane] of change.lanes) {',
        replacement: 'for (const [partition, lane] of [...change.lanes].slice(0, 1)) {'
      }
    ]
  },
  {
    name: 'anyepoch',
    rule: 'a switch compares the epoch that it was meant for',
    edits: [
      { file: cut, text: "if (state.epoch !== expectedEpoch) return refused('epoch')", replacement: '' }
    ]
  },
  {
    name: 'noabort',
    rule: 'a switch that was aborted is never made',
    edits: [{ file: cut, text: "if (epoch <= state.aborted) return refused('aborted')", replacement: '' }]
  },
  {
    name: 'keepopen',
    rule: 'a switch makes orphans of the manifests that are still open',
    edits: [
      {
        file: cut,
        text: "releaseManifests(state, isForced ? ['open', 'sealed', 'uploaded'] : ['open'])",
        replacement: 'releaseManifests(state, [])'
      }
    ]
  }
]
