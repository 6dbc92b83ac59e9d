import type { Document } from '@pointsman/core/domain/document'
import type { LogRecord, StoredDeadLetter } from '@pointsman/core/ports/event-log'
import type { Survey } from '@pointsman/core/ports/ledger'
import { metadataHash } from '@pointsman/core/runtime/identity'
import { type Difference, type DifferenceList, differenceAt } from './difference-list.ts'
import type { Suspect } from './judge-document.ts'
import type { Newest } from './newest-table.ts'
import type { LogCounts } from './read-log.ts'
import { readName } from './read-name.ts'
import type { VerifyDeps } from './verify-deps.ts'

const lettersRead = 10_000

export interface GivenUp {
  /** What the ledger calls dead. */
  readonly dead: readonly Suspect[]
  /** What is lost unless there is a letter: a ledger that was rebuilt does not know what was given up before. */
  readonly lost: readonly Suspect[]
  readonly log: LogCounts
  readonly survey: Survey
}

export interface Unlettered {
  /** Of `dead`: no letter tells of them. */
  readonly dead: readonly Suspect[]
  /** Of `lost`: those that are. */
  readonly lost: readonly Suspect[]
  /** Records that were passed, cannot be read, and have no letter. */
  readonly unreadable: readonly LogRecord[]
}

/** What was given up must stand in the dead-letter topic. @returns what does not. */
export async function checkLetters(
  deps: VerifyDeps,
  { dead, log, lost, survey }: GivenUp,
  differences: DifferenceList,
  signal: AbortSignal
): Promise<Unlettered> {
  if (dead.length === 0 && lost.length === 0 && log.unreadable === 0) {
    return { dead: [], lost: [], unreadable: [] }
  }
  const letters = await deps.letters.list(lettersRead, signal)
  const isComplete = letters.length < lettersRead
  const byKey = new Map(letters.flatMap(letter => (letter.key === undefined ? [] : [[letter.key, letter]])))
  const bySource = new Map(letters.map(letter => [`${letter.partition}-${letter.offset}`, letter]))

  const unletteredDead: Suspect[] = []
  for (const suspect of dead) {
    const { newest } = suspect.facts
    const docId = await readName(deps, newest.partition, newest.offset, signal)
    const letter = docId === undefined ? undefined : byKey.get(docId)
    const isLost = addDead(
      differences,
      letter,
      { ...differenceAt(newest, ''), docId },
      {
        isCertain: isComplete && docId !== undefined
      }
    )
    if (isLost) unletteredDead.push(suspect)
  }
  const unletteredLost: Suspect[] = []
  for (const suspect of lost) {
    const { newest } = suspect.facts
    const letter =
      bySource.get(`${newest.partition}-${newest.offset}`) ??
      (await letterOfTwin(newest, byKey, deps, signal))
    if (letter === undefined) unletteredLost.push(suspect)
    else differences.add('dead', { ...differenceAt(newest, letter.reason), docId: letter.key })
  }
  const unreadable = log.unreadableAt.filter(({ key, offset, partition }) => {
    if (offset >= (survey.progress.get(partition)?.frontier ?? 0n)) return false
    const place = { docId: key, detail: '', version: null, partition, offset: Number(offset), objectId: null }
    return addDead(differences, bySource.get(`${partition}-${offset}`), place, { isCertain: isComplete })
  })
  return { dead: unletteredDead, lost: unletteredLost, unreadable }
}

/**
 * What was sent again while the first was under way, perhaps as a later version, was covered by it: the letter tells of the
 * first alone.
 */
async function letterOfTwin(
  { offset, partition }: Newest,
  byKey: ReadonlyMap<string, StoredDeadLetter>,
  { codec, ranges }: VerifyDeps,
  signal: AbortSignal
): Promise<StoredDeadLetter | undefined> {
  const { records } = await ranges.read(partition, [BigInt(offset)], signal)
  const [record] = records
  const letter = record?.key === undefined ? undefined : byKey.get(record.key)
  if (record === undefined || letter === undefined) return undefined
  const [newest, given] = await Promise.all(
    [record, { ...letter, timestampMs: letter.atMs }].map(async one => codec.decode(one))
  )
  if (newest?.kind !== 'document' || given?.kind !== 'document') return undefined
  return isCoveredBy(newest.document, given.document) ? letter : undefined
}

function isCoveredBy(later: Document, first: Document): boolean {
  const isSame = later.textHash === first.textHash && later.deleted === first.deleted
  return isSame && metadataHash(later) === metadataHash(first)
}

/** True when it is lost. */
function addDead(
  differences: DifferenceList,
  letter: StoredDeadLetter | undefined,
  place: Difference,
  { isCertain }: { readonly isCertain: boolean }
): boolean {
  if (letter === undefined && isCertain) {
    differences.add('lost', { ...place, detail: 'given up, but not among the dead letters' })
    return true
  }
  differences.add('dead', { ...place, detail: letter?.reason ?? 'given up; its letter was not looked for' })
  return false
}
