// Random commands for ledgers. A command is data: it names things by their place among those that exist when it is
// carried out (see ledger-history.ts), so that a history can be shrunk and still makes sense.
import type { Lane } from '@pointsman/core/domain/lane'
import type { Job, JobOrder } from '@pointsman/core/ports/job'
import type { ObligationKind } from '@pointsman/core/ports/ledger'
import fc from 'fast-check'
import { contents, docKeys, fittingContent } from './ledger-contents.ts'
import type { RebuildingCommand } from './ledger-rebuilding.ts'
import { losses, rebuilding } from './ledger-rebuilding.ts'
import type { SwitchingCommand } from './ledger-switching.ts'
import { lane, mostlyCurrent, mostlyFalse, partitions, switching } from './ledger-switching.ts'

export { contents, docKeys }

export interface CandidateChoice {
  readonly hole: boolean
  readonly doc: number
  /** Added to the newest admitted version of the document. */
  readonly versionAhead: number
  /** Place in `contents`; undefined for a tombstone. */
  readonly content: number | undefined
  readonly metadataHash: number
}

export interface SliceChoice {
  readonly partition: number
  /** Added to A. */
  readonly ahead: number
  readonly candidates: readonly CandidateChoice[]
}

/** Undefined: the one that holds the obligation. */
type OwnerChoice = number | undefined

/** The owner's open manifest or a new one, none, or whatever obligation has this place. */
export type ManifestChoice = 'own' | undefined | number

export type Command =
  | { readonly type: 'openPartition'; readonly partition: number; readonly logStart: number }
  | { readonly type: 'register'; readonly instance: string; readonly leaseMs: number }
  | { readonly type: 'renew'; readonly owner: number; readonly leaseMs: number; readonly trouble: string }
  | { readonly type: 'release'; readonly owner: number }
  | { readonly type: 'noteMember'; readonly owner: number; readonly group: string }
  | {
      readonly type: 'admit'
      readonly owner: number
      /** Undefined: that of the first partition, and only partitions in it. */
      readonly lane: Lane | undefined
      readonly epochBehind: number
      readonly manifest: ManifestChoice
      readonly slices: readonly SliceChoice[]
    }
  | {
      readonly type: 'attempt'
      readonly obligation: number
      readonly owner: OwnerChoice
      readonly ahead: number
    }
  | {
      readonly type: 'settle'
      readonly obligation: number
      readonly owner: OwnerChoice
      /** Undefined: every part, as done. */
      readonly outcomes:
        | readonly {
            readonly part: number
            readonly settlement: 'done' | 'skipped' | 'dead'
          }[]
        | undefined
      /** One part that may belong to somebody else, or be settled. */
      readonly stray: number | undefined
    }
  | {
      readonly type: 'move'
      readonly obligation: number
      readonly owner: OwnerChoice
      readonly parts: readonly number[]
      readonly kind: ObligationKind
      readonly manifest: ManifestChoice
      readonly delayMs: number
      readonly attempts: number
      readonly failures: number
    }
  | {
      readonly type: 'advance'
      readonly manifest: number
      readonly owner: OwnerChoice
      /** Among the steps from its state: 0 for noting fields only, 1 for the way forward, then those back and to the end. */
      readonly step: number
      /** As if it were one state further than it is. */
      readonly ahead: boolean
      readonly fields: Partial<Job>
    }
  | { readonly type: 'order'; readonly manifest: number; readonly order: JobOrder }
  | {
      readonly type: 'takeover'
      readonly obligation: number
      readonly owner: number
      readonly lane: Lane
      readonly epochBehind: number
    }
  | { readonly type: 'pause' | 'resume'; readonly epochBehind: number }
  | SwitchingCommand
  | RebuildingCommand
  | { readonly type: 'adoptable'; readonly kinds: readonly ObligationKind[]; readonly limit: number }
  /** The same call once more, as after a lost reply, perhaps much later. */
  | { readonly type: 'repeat'; readonly call: number }

const hourMs = 3_600_000
const anyIndex = fc.nat({ max: 30 })
const mostlyHolder = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 6 },
  { arbitrary: anyIndex, weight: 1 }
)
const soonOrNever = fc.constantFrom(0, hourMs)

const candidateChoice = fc.record({
  hole: fc.oneof({ arbitrary: fc.constant(false), weight: 6 }, { arbitrary: fc.constant(true), weight: 1 }),
  doc: fc.nat({ max: docKeys.length - 1 }),
  versionAhead: fc.constantFrom(0, 0, 1, 1, 4, -1),
  content: fc.option(fc.oneof(fc.nat({ max: 1 }), fc.nat({ max: contents.length - 1 })), {
    nil: undefined,
    freq: 6
  }),
  metadataHash: fc.constantFrom(1, 1, 0xffffffff)
})

const candidate = candidateChoice.map((choice): CandidateChoice => {
  const { content, doc } = choice
  return content === undefined ? choice : { ...choice, content: fittingContent(doc, content) }
})

const slices = fc.uniqueArray(
  fc.record({
    partition: fc.constantFrom(...partitions),
    ahead: fc.oneof(
      { arbitrary: fc.constant(0), weight: 12 },
      { arbitrary: fc.integer({ min: 1, max: 2 }), weight: 1 }
    ),
    candidates: fc.array(candidate, { maxLength: 5 })
  }),
  { selector: slice => slice.partition, minLength: 1, maxLength: 3 }
)

const fields = fc.constantFrom<Partial<Job>[]>(
  {},
  { creates: 1, progressMs: 1_795_000_000_000, paidTokens: 9 },
  { lines: 2, bytes: 300, tokens: 7, inputFileId: 'file-1' },
  { batchId: 'batch "1"', status: 'in_progress', completed: 1, order: 'cancel' },
  { inputFileId: '', batchId: '', order: '' }
)

const weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Command>])[] = [
  [
    3,
    record('openPartition', { partition: fc.constantFrom(...partitions), logStart: fc.constantFrom(0, 8190) })
  ],
  [2, record('register', { instance: fc.constantFrom('a', 'b'), leaseMs: soonOrNever })],
  [
    2,
    record('renew', { owner: anyIndex, leaseMs: soonOrNever, trouble: fc.constantFrom('', 'store is away') })
  ],
  [2, record('release', { owner: anyIndex })],
  [1, record('noteMember', { owner: anyIndex, group: fc.constantFrom('g', 'h') })],
  [
    12,
    record('admit', {
      owner: anyIndex,
      lane: fc.oneof({ arbitrary: fc.constant(undefined), weight: 8 }, { arbitrary: lane, weight: 2 }),
      epochBehind: mostlyCurrent,
      manifest: fc.oneof(
        { arbitrary: fc.constant('own' as const), weight: 5 },
        { arbitrary: fc.constant(undefined), weight: 3 },
        { arbitrary: anyIndex, weight: 1 }
      ),
      slices
    })
  ],
  [3, record('attempt', { obligation: anyIndex, owner: mostlyHolder, ahead: fc.nat({ max: 2 }) })],
  [
    12,
    record('settle', {
      obligation: anyIndex,
      owner: mostlyHolder,
      outcomes: fc.option(
        fc.array(
          fc.record({
            part: anyIndex,
            settlement: fc.constantFrom<'done' | 'skipped' | 'dead'>(
              'done',
              'done',
              'done',
              'skipped',
              'dead'
            )
          }),
          { maxLength: 4 }
        ),
        { nil: undefined, freq: 4 }
      ),
      stray: fc.option(anyIndex, { nil: undefined })
    })
  ],
  [
    7,
    record('move', {
      obligation: anyIndex,
      owner: mostlyHolder,
      parts: fc.array(anyIndex, { maxLength: 3 }),
      kind: fc.constantFrom<ObligationKind>('orphan', 'orphan', 'request', 'manifest', 'manifest'),
      manifest: fc.oneof(
        { arbitrary: fc.constant('own' as const), weight: 5 },
        { arbitrary: anyIndex, weight: 1 }
      ),
      delayMs: fc.constantFrom(0, 0, hourMs),
      attempts: fc.nat({ max: 3 }),
      failures: fc.constantFrom(0, 1, 9)
    })
  ],
  [
    12,
    record('advance', {
      manifest: anyIndex,
      owner: mostlyHolder,
      step: fc.constantFrom(0, 1, 1, 1, 1, 2, 2, 3),
      ahead: mostlyFalse,
      fields
    })
  ],
  [1, record('order', { manifest: anyIndex, order: fc.constantFrom<JobOrder>('cancel', 'abandon') })],
  [6, record('takeover', { obligation: anyIndex, owner: anyIndex, lane, epochBehind: mostlyCurrent })],
  [1, record('pause', { epochBehind: mostlyCurrent })],
  [2, record('resume', { epochBehind: mostlyCurrent })],
  [
    1,
    record('adoptable', {
      kinds: fc.subarray<ObligationKind>(['request', 'orphan', 'manifest']),
      limit: fc.nat({ max: 4 })
    })
  ],
  [6, record('repeat', { call: anyIndex })]
]

function record<Type extends Command['type'], Fields>(
  type: Type,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> }
): fc.Arbitrary<{ readonly type: Type } & Fields> {
  return fc.record(fields).map(values => ({ type, ...values }))
}

/** Some documents into a manifest, and it some steps on its way. */
const beginnings: fc.Arbitrary<Command[]> = fc.nat({ max: 5 }).map(steps => [
  {
    type: 'admit',
    owner: 0,
    lane: undefined,
    epochBehind: 0,
    manifest: 'own',
    slices: [0, 1].map(partition => ({
      partition,
      ahead: 0,
      candidates: [0, 1, 0].map((content, index) => ({
        hole: false,
        doc: (partition + index) % docKeys.length,
        versionAhead: 1,
        content,
        metadataHash: 1
      }))
    }))
  },
  ...Array.from(
    { length: steps },
    (): Command => ({
      type: 'advance',
      manifest: 0,
      owner: undefined,
      step: 1,
      ahead: false,
      fields: { creates: 1 }
    })
  )
])

/** @param restlessness - how many times as often as usual lanes are switched. */
function commandsOf(restlessness: number, maxLength: number): fc.Arbitrary<Command[]> {
  const often = switching.map(([weight, arbitrary]) => ({ weight: weight * restlessness, arbitrary }))
  const command = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })), ...often)
  return fc.array(command, { minLength: Math.floor(maxLength / 3), maxLength, size: 'max' })
}

const opening: readonly Command[] = [
  { type: 'openPartition', partition: 0, logStart: 0 },
  { type: 'openPartition', partition: 1, logStart: 8190 },
  { type: 'openPartition', partition: 2, logStart: 127 },
  { type: 'register', instance: 'a', leaseMs: hourMs },
  { type: 'register', instance: 'b', leaseMs: hourMs }
]

/** Histories that begin with partitions, lives and often a manifest, so that most commands find something to do. */
export function histories(maxLength: number): fc.Arbitrary<Command[]> {
  const rest = fc.oneof(
    { arbitrary: commandsOf(1, maxLength), weight: 2 },
    { arbitrary: commandsOf(8, maxLength), weight: 1 }
  )
  return fc
    .tuple(fc.option(beginnings, { nil: [], freq: 3 }), rest)
    .map(([beginning, commands]) => [...opening, ...beginning, ...commands])
}

/**
 * Histories in which the ledger is lost, once or twice, and told what was before it; in between, and also meanwhile, goes on
 * what goes on in others.
 */
export function historiesWithLosses(maxLength: number): fc.Arbitrary<Command[]> {
  const command = fc.oneof(
    ...[...weighted, ...rebuilding].map(([weight, arbitrary]) => ({ weight, arbitrary }))
  )
  const life = fc.array(command, { maxLength: Math.floor(maxLength / 2), size: 'max' })
  const loss = losses.chain(told =>
    fc
      .array(fc.tuple(fc.nat({ max: told.length }), command), { maxLength: 3 })
      .map(between =>
        told.flatMap((step, index): Command[] => [
          ...between.flatMap(([at, other]) => (at === index ? [other] : [])),
          step
        ])
      )
  )
  return fc
    .tuple(life, fc.array(fc.tuple(loss, life), { minLength: 1, maxLength: 2 }))
    .map(([first, lives]) => [
      ...opening,
      ...first,
      ...lives.flatMap(([lost, life]) => [...lost, ...opening, ...life])
    ])
}
