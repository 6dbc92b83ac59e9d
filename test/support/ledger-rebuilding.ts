// Random losses: a ledger is given up, told something of what was before it, in any order and more than once, and goes on.
import type { Digest, ObligationId } from '@pointsman/core/domain/identity'
import type { Lane } from '@pointsman/core/domain/lane'
import type { Correction, Latest, Ledger } from '@pointsman/core/ports/ledger'
import type { AwaitedDocument, RebuildStage } from '@pointsman/core/ports/ledger-rebuild'
import fc from 'fast-check'
import { contentOf, contents, docKeys } from './ledger-contents.ts'
import { lane, mostlyFalse, partitions } from './ledger-switching.ts'
import { noJob } from '@pointsman/core/adapters/memory/ledger-manifests'

/** What is at a place of the log never changes: all is made of the offset. Nothing else is ever admitted there. */
interface Place {
  readonly partition: number
  readonly offset: number
}

interface DocumentChoice {
  readonly doc: number
  readonly version: number
  /** Place in `contents`; undefined for a tombstone. */
  readonly content: number | undefined
}

export type RebuildingCommand =
  /** @property stale - a ledger is named that is not there. */
  | { readonly type: 'lose'; readonly stale: boolean }
  | { readonly type: 'noteRebuild'; readonly stage: RebuildStage; readonly done: number }
  | {
      readonly type: 'restore'
      readonly objects: readonly (DocumentChoice & {
        readonly content: number
        readonly generation: number
      })[]
    }
  | { readonly type: 'expect'; readonly documents: readonly DocumentChoice[] }
  | { readonly type: 'adoptJob'; readonly manifest: number; readonly places: readonly Place[] }
  | {
      readonly type: 'promiseVectors'
      readonly manifest: number
      /** Places in `contents`. */
      readonly promised: readonly number[]
    }
  | {
      readonly type: 'endRebuild'
      readonly epoch: number
      readonly defaultLane: Lane
      readonly partitions: readonly (readonly [number, Lane, number])[]
    }
  | {
      readonly type: 'correct'
      readonly corrections: readonly {
        readonly doc: number
        readonly otherVersion: boolean
        readonly otherGeneration: boolean
        readonly otherStatus: boolean
        /** Place in `contents`; undefined for that of L. */
        readonly content: number | undefined
        readonly status: Correction['status']
      }[]
    }

const stages: readonly RebuildStage[] = ['waiting', 'provider', 'index', 'log', 'jobs']
const anyDoc = fc.nat({ max: docKeys.length - 1 })
const anyContent = fc.nat({ max: contents.length - 1 })
const version = fc.nat({ max: 4 })

/** Below a frontier that a rebuild ends with, and so far above it that no history comes there. */
const place = fc.record({
  partition: fc.constantFrom(...partitions),
  offset: fc.oneof(fc.integer({ min: 1000, max: 1011 }), fc.integer({ min: 8184, max: 8189 }))
})
const frontier = fc.constantFrom(0, 2000, 8190)

const lose = fc.record({ type: fc.constant('lose' as const), stale: mostlyFalse })
const restore = fc.record({
  type: fc.constant('restore' as const),
  objects: fc.array(fc.record({ doc: anyDoc, version, content: anyContent, generation: version }), {
    maxLength: 4
  })
})
const expectSome = fc.record({
  type: fc.constant('expect' as const),
  documents: fc.uniqueArray(
    fc.oneof(
      { arbitrary: place.map(documentAt), weight: 4 },
      {
        arbitrary: fc.record({ doc: anyDoc, version, content: fc.option(anyContent, { nil: undefined }) }),
        weight: 1
      }
    ),
    { selector: ({ doc }) => doc, maxLength: 4 }
  )
})
const adoptJob = fc.record({
  type: fc.constant('adoptJob' as const),
  manifest: fc.nat({ max: 2 }),
  places: fc.array(place, { maxLength: 6 })
})
const promiseVectors = fc.record({
  type: fc.constant('promiseVectors' as const),
  manifest: fc.nat({ max: 2 }),
  promised: fc.array(anyContent, { maxLength: 4 })
})
const noteRebuild = fc.record({
  type: fc.constant('noteRebuild' as const),
  stage: fc.constantFrom(...stages),
  done: fc.nat({ max: 9 })
})
const endRebuild = fc.record({
  type: fc.constant('endRebuild' as const),
  epoch: fc.integer({ min: 2, max: 9 }),
  defaultLane: lane,
  partitions: fc.uniqueArray(fc.tuple(fc.constantFrom(...partitions), lane, frontier), {
    selector: ([partition]) => partition,
    maxLength: partitions.length
  })
})
const correct = fc.record({
  type: fc.constant('correct' as const),
  corrections: fc.array(
    fc.record({
      doc: anyDoc,
      otherVersion: mostlyFalse,
      otherGeneration: mostlyFalse,
      otherStatus: mostlyFalse,
      content: fc.option(anyContent, { nil: undefined, freq: 6 }),
      status: fc.constantFrom<Correction['status']>('indexed', 'expected')
    }),
    { maxLength: 3 }
  )
})

const steps: fc.Arbitrary<RebuildingCommand> = fc.oneof(
  restore,
  expectSome,
  adoptJob,
  promiseVectors,
  noteRebuild
)

export const rebuilding: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<RebuildingCommand>])[] =
  [
    [3, steps],
    [1, endRebuild],
    [6, correct],
    [1, lose.map(command => ({ ...command, stale: true }))]
  ]

/** From the loss to its end, perhaps without what a rebuild should have been told. */
export const losses: fc.Arbitrary<RebuildingCommand[]> = fc
  .tuple(lose, fc.array(steps, { maxLength: 8 }), endRebuild)
  .map(([lost, told, ended]) => [lost, ...told, ended])

const types: readonly string[] = [
  'lose',
  'noteRebuild',
  'restore',
  'expect',
  'adoptJob',
  'promiseVectors',
  'endRebuild',
  'correct'
] satisfies readonly RebuildingCommand['type'][]

export function isRebuilding(command: { readonly type: string }): command is RebuildingCommand {
  return types.includes(command.type)
}

/** @param latest - of `docKeys`, as the ledger has it that the command is for. */
export function tellingOf(
  command: RebuildingCommand,
  latest: readonly (Latest | undefined)[]
): (ledger: Ledger) => Promise<unknown> {
  switch (command.type) {
    case 'lose':
      return ledger => giveUp(ledger, command.stale)
    case 'noteRebuild': {
      const { stage, done } = command
      return ledger => ledger.noteRebuild({ stage, done, total: 9 })
    }
    case 'restore': {
      const objects = command.objects.map(({ generation, ...choice }) => ({
        docKey: docKeyOf(choice.doc),
        version: choice.version,
        generation,
        content: contentOf(choice.doc, choice.content)
      }))
      return ledger => ledger.restore(objects)
    }
    case 'expect': {
      const documents = command.documents.map(({ doc, version: newest, content }) => ({
        docKey: docKeyOf(doc),
        version: newest,
        content: content === undefined ? undefined : contentOf(doc, content)
      }))
      return ledger => ledger.expect(documents)
    }
    case 'adoptJob': {
      const id = adoptedId(command.manifest)
      const job = { ...noJob, batchId: `batch of ${id}`, lines: 9, creates: 1 }
      return ledger => ledger.adoptJob(id, job, command.places.map(awaitedAt))
    }
    case 'promiseVectors': {
      const promised = command.promised.map(index => contents[index]!)
      return ledger => ledger.promiseVectors(adoptedId(command.manifest), promised)
    }
    case 'endRebuild': {
      const { epoch, defaultLane } = command
      const told = command.partitions.map(
        ([partition, itsLane, at]) => [partition, { lane: itsLane, frontier: BigInt(at) }] as const
      )
      return ledger => ledger.endRebuild({ epoch, defaultLane, partitions: new Map(told) })
    }
    case 'correct': {
      const corrections = command.corrections.flatMap(
        choice => correctionOf(choice, latest[choice.doc]) ?? []
      )
      return ledger => ledger.correct(corrections)
    }
  }
}

async function giveUp(ledger: Ledger, stale: boolean): Promise<unknown> {
  const { ledgerId } = await ledger.state()
  await ledger.distrust(stale ? 'of another life' : ledgerId, 'lost by a test')
  return (await ledger.open('realtime')).rebuild?.because
}

function documentAt({ offset }: Place): DocumentChoice {
  return { doc: offset % docKeys.length, version: 1 + (offset % 3), content: offset % contents.length }
}

function awaitedAt(at: Place): AwaitedDocument {
  const { doc, version: newest, content = 0 } = documentAt(at)
  return {
    partition: at.partition,
    offset: BigInt(at.offset),
    docKey: docKeyOf(doc),
    version: newest,
    content: contentOf(doc, content),
    metadataHash: 1,
    tokens: content + 1
  }
}

function correctionOf(
  choice: Extract<RebuildingCommand, { type: 'correct' }>['corrections'][number],
  latest: Latest | undefined
): Correction | undefined {
  if (latest === undefined) return undefined
  const { doc, otherGeneration, otherStatus, otherVersion, status } = choice
  const own = contents.findIndex((_, index) => contentOf(doc, index).slice(8) === latest.content)
  const content = contentOf(doc, choice.content ?? Math.max(0, own))
  const found = {
    version: latest.version + (otherVersion ? 1 : 0),
    generation: latest.generation + (otherGeneration ? 1 : 0),
    status: otherStatus ? 'dead' : latest.status
  } as const
  return { docKey: docKeyOf(doc), found, status, content }
}

function adoptedId(manifest: number): ObligationId {
  return `adopted.${manifest}` as ObligationId
}

function docKeyOf(doc: number): Digest {
  return docKeys[doc % docKeys.length]!
}
