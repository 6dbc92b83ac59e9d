// The demonstration: ingest a real corpus, watch it being embedded, compare everything, search.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { searchAnswer, type SearchAnswer } from '../../services/controller/src/search/search.ts'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import {
  askStatus,
  produce,
  type IngestReport
} from '../../services/controller/src/cli/commands/ingest-command.ts'
import { askVerify } from '../../services/controller/src/cli/commands/verify-command.ts'
import { formatCount } from '../../services/controller/src/cli/format.ts'
import { LiveLine } from '../../services/controller/src/cli/live-line.ts'
import { progressLine } from '../../services/controller/src/cli/progress-line.ts'
import { projectRoot } from '../../services/controller/src/cli/run-file.ts'
import { isSettled, progressSince } from '../../services/controller/src/cli/settlement.ts'
import type { StatusReport } from '../../services/controller/src/status/status-report.ts'
import type { VerifyReport } from '../../services/controller/src/verify/verify-report.ts'
import type { Up } from '../up/start-everything.ts'
import { type Bill, billBetween, readBill } from './bill.ts'
import { gatherCorpus } from './corpus.ts'

export interface Demonstration {
  readonly ingest: IngestReport
  readonly verify: VerifyReport
  readonly bill: Bill
  readonly usd: number | null
  readonly seconds: number
  readonly searches: readonly { readonly query: string; readonly answer: SearchAnswer }[]
}

export interface DemonstrationDeps {
  readonly up: Pick<Up, 'addresses' | 'folder'>
  readonly isLocal: boolean
  readonly maxFiles: number
  /** For the commands of the command line, which do the work. */
  readonly context: CliContext
  readonly say: (text: string) => void
}

const queries = [
  'How do I validate the body of a request?',
  'write log lines to a file without blocking',
  'reconnect when the connection to the server is lost'
]
const hitsShown = 3
const lookEveryMs = 500
const verifyMs = 600_000
const standstillMs = 300_000

export async function demonstrate(deps: DemonstrationDeps, signal: AbortSignal): Promise<Demonstration> {
  const { up, context, say, isLocal } = deps
  const corpus = await gatherCorpus(
    join(projectRoot, 'node_modules'),
    join(up.folder, 'corpus'),
    deps.maxFiles
  )
  say(`Reading ${formatCount(corpus.files)} Markdown files: the documentation of the installed packages.`)

  const statusBefore = await askStatus(context)
  const billBefore = await readBill(up.addresses, isLocal, statusBefore, signal)
  const beganMs = performance.now()
  const ingest = await ingestAndWait(deps, corpus.folder, statusBefore, signal)
  const seconds = (performance.now() - beganMs) / 1000

  const statusAfter = await askStatus(context)
  const bill = billBetween(billBefore, await readBill(up.addresses, isLocal, statusAfter, signal))
  const verify = await askVerify(context, { examples: 10, timeout: verifyMs })
  const searches: { readonly query: string; readonly answer: SearchAnswer }[] = []
  for (const query of queries) {
    const answer = await context.api.get('/v1/search', searchAnswer, signal, { q: query, limit: hitsShown })
    searches.push({ query, answer })
  }
  const spent = (status: StatusReport): number | null => status.spend?.usd ?? null
  const [usdBefore, usdAfter] = [spent(statusBefore), spent(statusAfter)]
  const usd = usdBefore === null || usdAfter === null ? null : usdAfter - usdBefore
  return { ingest, verify, bill, usd, seconds, searches }
}

/** Sends the corpus and shows how far it has come, until nothing is left to do. */
async function ingestAndWait(
  { context, say }: DemonstrationDeps,
  folder: string,
  before: StatusReport,
  signal: AbortSignal
): Promise<IngestReport> {
  const live = new LiveLine(context.terminal)
  const sent = new AbortController()
  let report: IngestReport | undefined
  const sending = produce(context, [folder], { onProgress: () => undefined })
    .then(ended => {
      report = ended.report
    })
    .finally(() => sent.abort())
  let lastDone = -1
  let movedMs = performance.now()
  for (;;) {
    // Once all is sent: what is looked at from then on has everything in it.
    const isAllSent = sent.signal.aborted
    const now = await askStatus(context)
    const total = report && report.emitted + report.tombstones
    if (isAllSent && isSettled(now)) {
      live.end(line(before, now, total))
      break
    }
    live.show(line(before, now, total))
    const { done } = progressSince(before, now, total)
    if (done !== lastDone) movedMs = performance.now()
    lastDone = done
    if (performance.now() - movedMs > standstillMs) {
      live.end()
      throw new Error(
        `nothing was settled for minutes: ${now.lag?.because ?? 'lag is not known'}; see ${folder}/../logs`
      )
    }
    await delay(lookEveryMs, undefined, { signal })
  }
  await sending
  if (!report) throw new Error('the producer ended without a report')
  const { documents, emitted, unchanged, tombstones } = report
  say(
    `${formatCount(documents)} texts: ${formatCount(emitted)} documents sent, ` +
      `${formatCount(unchanged)} texts unchanged, ${formatCount(tombstones)} documents deleted.`
  )
  return report
}

/** `136/253 (53.8 %) | 2.5 docs/s | ETA 47 s | $0.0021 | lag 117 | 12,345 tokens` */
function line(before: StatusReport, now: StatusReport, total: number | undefined): string {
  const tokens = (now.spend?.paidTokens ?? 0) - (before.spend?.paidTokens ?? 0)
  const lag = now.lag ? ` | lag ${formatCount(now.lag.totals.lag)}` : ''
  return `${progressLine(progressSince(before, now, total))}${lag} | ${formatCount(tokens)} tokens`
}
