// The judge at the end: knows only what was produced, and reads the index as it is. It does not ask the ledger.
//   I6 OneObject  one object per living document, none for deleted ones
//   I7 Fresh      of its newest version, unless that was given up
import { vectorOf } from '@pointsman/core/adapters/memory/embedder'
import type { IndexObject } from '@pointsman/core/ports/vector-store'
import { contentsOf, documentIn, type Newest, newestOf, type Produced } from './bill-watch.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/**
 * @param forgotten - documents that were deleted, and of which nothing told any more when the ledger was lost: an older
 * version that comes afterwards is new to everybody. Known, and told in docs/protocol.md.
 */
export function auditIndex(
  world: World,
  forgotten: ReadonlySet<string>
): { readonly documents: number; readonly givenUp: number } {
  const objects = Map.groupBy(world.store.objects.values(), ({ properties }) => properties.docId)
  const letters = lettersOf(world)
  const newest = newestOf(world)
  let abandoned = 0
  for (const [docId, wanted] of newest) {
    const found = objects.get(docId) ?? []
    const isGivenUp = wasGivenUp(wanted, letters)
    if (isGivenUp) abandoned += 1
    // Of a document whose newest version was given up, the sweeper leaves what is older as it is.
    if (found.length > 1 && !isGivenUp) {
      throw new Violation(
        'I6 OneObject',
        `${docId} has ${found.length} objects: ${found.map(describe).join(', ')}`
      )
    }
    const [object] = found
    if (wanted.deleted) {
      if (object !== undefined && !forgotten.has(docId))
        throw new Violation('I6 OneObject', `${docId} is deleted, and there: ${describe(object)}`)
      continue
    }
    if (isGivenUp) continue
    if (object === undefined)
      throw new Violation('I7 Fresh', `${docId} is lost: version ${wanted.version} is in no object`)
    const problem = differenceOf(object, wanted, world)
    if (problem !== undefined) throw new Violation('I7 Fresh', `${docId}: ${problem}: ${describe(object)}`)
  }
  for (const docId of objects.keys()) {
    if (!newest.has(docId)) throw new Violation('I6 OneObject', `${docId} was never produced, and is there`)
  }
  return { documents: newest.size, givenUp: abandoned }
}

function lettersOf({ log }: World): readonly Letter[] {
  return log.letters.flatMap(({ value }) => documentIn(value) ?? [])
}

type Letter = Omit<Produced, 'partition' | 'offset'>

/** A letter is about a version, which may stand in the log more than once, and about those that had nothing new. */
function wasGivenUp(wanted: Newest, letters: readonly Letter[]): boolean {
  return letters.some(
    letter =>
      letter.version >= wanted.sinceVersion &&
      letter.version <= wanted.version &&
      contentsOf(letter) === contentsOf(wanted)
  )
}

function differenceOf(
  { properties, vector }: IndexObject,
  wanted: Produced,
  { spec }: World
): string | undefined {
  if (properties.text !== wanted.text)
    return `it should have the text "${wanted.text}" of version ${wanted.version}`
  if (properties.metadata !== wanted.metadata || properties.title !== wanted.title) {
    return `it should have the metadata ${wanted.metadata}`
  }
  const right = vectorOf(spec.model, wanted.text, spec.dimensions)
  return Buffer.from(vector).equals(Buffer.from(right)) ? undefined : 'it has the vector of another text'
}

function describe({ properties }: IndexObject): string {
  const { generation, metadata, text, version } = properties
  return `version ${version}, generation ${generation}, "${text}", ${metadata}`
}
