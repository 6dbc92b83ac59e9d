// Compares log, ledger and index document by document. It reads the log to the end as it is now, then the index, then
// the ledger, and looks again at what seems wrong, since documents move on meanwhile. The report says whether it was
// quiet. Needs memory for about 100 bytes a document.

import type { LogBounds, LogRecord } from '@pointsman/core/ports/event-log'
import type { Survey } from '@pointsman/core/ports/ledger'
import { chunked } from '../chunked.ts'
import { checkLetters } from './check-letters.ts'
import { type Difference, differenceAt, DifferenceList } from './difference-list.ts'
import { type DocumentState, judgeDocument, type Suspect } from './judge-document.ts'
import { lookAgain } from './look-again.ts'
import { NewestTable } from './newest-table.ts'
import { readIndex, type Stray } from './read-index.ts'
import { readLog } from './read-log.ts'
import { readName } from './read-name.ts'
import type { VerifyDeps } from './verify-deps.ts'
import type { VerifyProgress, VerifyReport } from './verify-report.ts'

export interface CompareOptions {
  /** So many differences of each kind are named. */
  readonly examples: number
  readonly onProgress: (progress: VerifyProgress) => void
}

/** What a repair goes by. */
export interface Comparison {
  readonly report: VerifyReport
  readonly table: NewestTable
  /** Of the log that was read. */
  readonly bounds: ReadonlyMap<number, LogBounds>
  /** Documents of the log that are not as they should be. */
  readonly suspects: readonly Suspect[]
  /** Objects that should not be there; at most 100,000 are kept. */
  readonly strays: readonly Stray[]
  /** Records that cannot be read, were passed all the same, and have no dead letter. */
  readonly unlettered: readonly LogRecord[]
}

const keysPerQuestion = 1000
const maxStrays = 100_000

export async function compare(
  deps: VerifyDeps,
  options: CompareOptions,
  signal: AbortSignal
): Promise<Comparison> {
  const { clock, admin, ledger, store } = deps
  const beganMs = clock.nowMs()
  const differences = new DifferenceList(options.examples)
  const table = new NewestTable()

  const bounds = await admin.bounds()
  const records = Number([...bounds.values()].reduce((sum, { start, end }) => sum + (end - start), 0n))
  const log = await readLog(deps, bounds, table, progress('log', records, options), signal)

  const objects = await store.count(signal)
  const strays: Stray[] = []
  const onStray = (stray: Stray): void => {
    differences.add(stray.kind, described(stray))
    if (strays.length < maxStrays) strays.push(stray)
  }
  const index = await readIndex(deps, table, onStray, progress('index', objects, options), signal)
  const unindexed = await store.unindexed(signal)

  const before = await ledger.survey()
  const states = await judgeAll(deps, table, before, progress('ledger', table.size, options))
  const suspects = await lookAgain(deps, table, states.suspects, signal)
  const { true: lost = [], false: others = [] } = Object.groupBy(suspects, suspect =>
    isUnknownToLedger(suspect) ? 'true' : 'false'
  )
  const givenUp = { dead: states.dead, lost, log, survey: before }
  const unlettered = await checkLetters(deps, givenUp, differences, signal)
  const found = [...others, ...unlettered.lost]
  for (const { facts, findings } of found) {
    for (const { kind, detail } of findings) differences.add(kind, differenceAt(facts.newest, detail))
  }
  const after = await ledger.survey()
  const boundsAfter = await admin.bounds()

  const nameOf = (partition: number, offset: number): Promise<string | undefined> =>
    readName(deps, partition, offset, signal)
  const report = {
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
    index: { ...index, unindexed },
    ledger: states.counts.byState,
    differences: {
      lost: await differences.found('lost', nameOf),
      missing: await differences.found('missing', nameOf),
      duplicate: await differences.found('duplicate', nameOf),
      stale: await differences.found('stale', nameOf),
      surplus: await differences.found('surplus', nameOf),
      mismatch: await differences.found('mismatch', nameOf)
    },
    dead: await differences.found('dead', nameOf),
    repair: null
  }
  return {
    report,
    table,
    bounds,
    suspects: [...found, ...unlettered.dead],
    strays,
    unlettered: unlettered.unreadable
  }
}

/** Neither indexed nor open: unless it was given up before the ledger was made, nobody has done anything about it. */
function isUnknownToLedger({ facts: { latest, newest }, findings }: Suspect): boolean {
  const isLost = findings.some(({ kind }) => kind === 'lost')
  return isLost && (latest === undefined || latest.version < newest.version)
}

interface Judged {
  readonly counts: { tombstones: number; readonly byState: Record<DocumentState, number> }
  /** What the ledger calls dead, and rightly so. */
  readonly dead: Suspect[]
  readonly suspects: Suspect[]
}

async function judgeAll(
  deps: VerifyDeps,
  table: NewestTable,
  survey: Survey,
  onProgress: (documents: number) => void
): Promise<Judged> {
  const byState = { indexed: 0, deleted: 0, open: 0, unread: 0, dead: 0, expected: 0, olderThanLog: 0 }
  const counts = { tombstones: 0, byState }
  const dead: Suspect[] = []
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
      if (state === 'dead' && findings.length === 0) dead.push({ place, facts, findings })
      byState[state] += 1
    }
    judged += places.length
    onProgress(judged)
  }
  return { counts, dead, suspects }
}

function described({ detail, head }: Stray): Difference {
  const { docId, id, version } = head
  return { docId, detail, version, partition: null, offset: null, objectId: id }
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
  { onProgress }: CompareOptions
): (done: number) => void {
  onProgress({ phase, done: 0, total })
  return done => onProgress({ phase, done, total: Math.max(done, total) })
}
