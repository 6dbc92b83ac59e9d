// Compares log, ledger and index document by document. It reads the log to the end as it is now, then the index, then
// the ledger, and looks again at what seems wrong, since documents move on meanwhile. The report says whether it was
// quiet. Needs memory for about 100 bytes a document.

import type { LogBounds, StoredDeadLetter } from '@pointsman/core/ports/event-log'
import type { Survey } from '@pointsman/core/ports/ledger'
import { type Difference, DifferenceList } from './difference-list.ts'
import { type DocumentState, judgeDocument } from './judge-document.ts'
import { lookAgain, type Suspect } from './look-again.ts'
import { type Newest, NewestTable } from './newest-table.ts'
import { readIndex } from './read-index.ts'
import { type LogCounts, readLog } from './read-log.ts'
import type { VerifyDeps } from './verify-deps.ts'
import type { VerifyProgress, VerifyReport } from './verify-report.ts'

export interface VerifyOptions {
  /** So many differences of each kind are named. */
  readonly examples: number
  readonly onProgress: (progress: VerifyProgress) => void
}

const keysPerQuestion = 1000
const lettersRead = 10_000

export async function verify(
  deps: VerifyDeps,
  options: VerifyOptions,
  signal: AbortSignal
): Promise<VerifyReport> {
  const { clock, admin, ledger, store } = deps
  const beganMs = clock.nowMs()
  const differences = new DifferenceList(options.examples)
  const table = new NewestTable()

  const bounds = await admin.bounds()
  const records = Number([...bounds.values()].reduce((sum, { start, end }) => sum + (end - start), 0n))
  const log = await readLog(deps, bounds, table, progress('log', records, options), signal)

  const objects = await store.count(signal)
  const index = await readIndex(deps, table, differences, progress('index', objects, options), signal)

  const before = await ledger.survey()
  const states = await judgeAll(deps, table, before, progress('ledger', table.size, options))
  for (const { facts, findings } of await lookAgain(deps, table, states.suspects, signal)) {
    for (const { kind, detail } of findings) differences.add(kind, at(facts.newest, detail))
  }
  await checkLetters(deps, table, log, before, states.dead, differences, signal)
  const after = await ledger.survey()
  const boundsAfter = await admin.bounds()

  const nameOf = (partition: number, offset: number): Promise<string | undefined> =>
    readName(deps, partition, offset, signal)
  return {
    consistent: differences.isEmpty,
    quiet: isQuiet(before, bounds) && isQuiet(after, boundsAfter) && sameFrontiers(before, after),
    durationMs: clock.nowMs() - beganMs,
    log: {
      records: log.records,
      documents: table.size - states.counts.tombstones,
      deleted: states.counts.tombstones,
      unreadable: log.unreadable,
      unknownSchema: log.unknownSchema
    },
    index,
    ledger: states.counts.byState,
    differences: {
      lost: await differences.found('lost', nameOf),
      missing: await differences.found('missing', nameOf),
      duplicate: await differences.found('duplicate', nameOf),
      stale: await differences.found('stale', nameOf),
      surplus: await differences.found('surplus', nameOf),
      mismatch: await differences.found('mismatch', nameOf)
    },
    dead: await differences.found('dead', nameOf)
  }
}

interface Judged {
  readonly counts: { tombstones: number; readonly byState: Record<DocumentState, number> }
  /** Places in the table of documents that the ledger calls dead. */
  readonly dead: number[]
  readonly suspects: Suspect[]
}

async function judgeAll(
  deps: VerifyDeps,
  table: NewestTable,
  survey: Survey,
  onProgress: (documents: number) => void
): Promise<Judged> {
  const byState = { indexed: 0, deleted: 0, open: 0, unread: 0, dead: 0, olderThanLog: 0 }
  const counts = { tombstones: 0, byState }
  const dead: number[] = []
  const suspects: Suspect[] = []
  const nothingUnderWay = outstanding(survey) === 0
  let judged = 0
  for (const places of chunked(table.places(), keysPerQuestion)) {
    const latest = await deps.ledger.latest(places.map(place => table.key(place)))
    const contents = places.map(place => table.newest(place).content)
    const asked = contents.filter(content => content !== undefined)
    const known = asked.length > 0 ? await deps.ledger.processed(asked) : []
    let next = 0
    for (const [index, place] of places.entries()) {
      const newest = table.newest(place)
      const processed = contents[index] === undefined || known[next++] === true
      const admitted = BigInt(newest.offset) < (survey.progress.get(newest.partition)?.frontier ?? 0n)
      const stored = table.stored(place)
      const facts = { newest, stored, latest: latest[index], admitted, processed, nothingUnderWay }
      const { state, findings } = judgeDocument(facts)
      if (findings.length > 0) suspects.push({ place, facts, findings })
      if (newest.content === undefined) counts.tombstones += 1
      if (state === 'dead') dead.push(place)
      byState[state] += 1
    }
    judged += places.length
    onProgress(judged)
  }
  return { counts, dead, suspects }
}

/** What was given up must stand in the dead-letter topic. */
async function checkLetters(
  deps: VerifyDeps,
  table: NewestTable,
  log: LogCounts,
  survey: Survey,
  dead: readonly number[],
  differences: DifferenceList,
  signal: AbortSignal
): Promise<void> {
  if (dead.length === 0 && log.unreadable === 0) return
  const letters = await deps.letters.list(lettersRead, signal)
  const complete = letters.length < lettersRead
  const byKey = new Map(letters.flatMap(letter => (letter.key === undefined ? [] : [[letter.key, letter]])))
  const bySource = new Map(letters.map(letter => [`${letter.partition}-${letter.offset}`, letter]))

  for (const place of dead) {
    const newest = table.newest(place)
    const docId = await readName(deps, newest.partition, newest.offset, signal)
    const letter = docId === undefined ? undefined : byKey.get(docId)
    addDead(differences, letter, { ...at(newest, ''), docId }, complete && docId !== undefined)
  }
  for (const { partition, offset, key } of log.unreadableAt) {
    if (offset >= (survey.progress.get(partition)?.frontier ?? 0n)) continue
    const place = { docId: key, detail: '', version: null, partition, offset: Number(offset), objectId: null }
    addDead(differences, bySource.get(`${partition}-${offset}`), place, complete)
  }
}

function addDead(
  differences: DifferenceList,
  letter: StoredDeadLetter | undefined,
  place: Difference,
  certain: boolean
): void {
  if (letter) differences.add('dead', { ...place, detail: letter.reason })
  else if (certain) differences.add('lost', { ...place, detail: 'given up, but not among the dead letters' })
  else differences.add('dead', { ...place, detail: 'given up; its letter was not looked for' })
}

async function readName(
  { ranges, codec }: VerifyDeps,
  partition: number,
  offset: number,
  signal: AbortSignal
): Promise<string | undefined> {
  const { records } = await ranges.read(partition, [BigInt(offset)], signal)
  const [record] = records
  if (!record) return undefined
  const decoded = await codec.decode(record)
  return decoded.kind === 'document' ? decoded.document.docId : record.key
}

function at({ version, partition, offset }: Newest, detail: string): Difference {
  return { docId: undefined, detail, version, partition, offset, objectId: null }
}

function outstanding({ progress }: Survey): number {
  return [...progress.values()].reduce((sum, { unsettled }) => sum + unsettled, 0)
}

function isQuiet(survey: Survey, bounds: ReadonlyMap<number, LogBounds>): boolean {
  const allRead = [...bounds].every(([partition, { start, end }]) => {
    const frontier = survey.progress.get(partition)?.frontier ?? start
    return frontier >= end
  })
  return allRead && outstanding(survey) === 0
}

function sameFrontiers(a: Survey, b: Survey): boolean {
  return [...b.progress].every(
    ([partition, { frontier }]) => a.progress.get(partition)?.frontier === frontier
  )
}

function progress(
  phase: VerifyProgress['phase'],
  total: number,
  { onProgress }: VerifyOptions
): (done: number) => void {
  onProgress({ phase, done: 0, total })
  return done => onProgress({ phase, done, total: Math.max(done, total) })
}

function* chunked<Item>(items: Iterable<Item>, length: number): Generator<readonly Item[]> {
  let chunk: Item[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < length) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
