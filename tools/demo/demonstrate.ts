// The demonstration: ingest a real corpus, switch lanes to and fro meanwhile, compare everything, search.

import { join } from 'node:path'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import {
  askStatus,
  produce,
  type IngestReport
} from '../../services/controller/src/cli/commands/ingest-command.ts'
import { askVerify } from '../../services/controller/src/cli/commands/verify-command.ts'
import { formatCount } from '../../services/controller/src/cli/format.ts'
import { projectRoot } from '../../services/controller/src/cli/run-file.ts'
import { isSettled } from '../../services/controller/src/cli/settlement.ts'
import type { JobReport } from '../../services/controller/src/jobs/job-report.ts'
import { searchAnswer, type SearchAnswer } from '../../services/controller/src/search/search.ts'
import { switchHistory, type SwitchHistory } from '../../services/controller/src/switching/switch-report.ts'
import type { VerifyReport } from '../../services/controller/src/verify/verify-report.ts'
import type { Up } from '../up/start-everything.ts'
import { type Bill, billBetween, type Costs, costsOf, readBill } from './bill.ts'
import type { LanesChanged } from './change-lanes.ts'
import { gatherCorpus } from './corpus.ts'
import { readJobs } from './job-lines.ts'
import { slowJobs } from './local-jobs.ts'
import { thereAndBack } from './there-and-back.ts'
import { Watch, type View } from './watch.ts'

export interface Demonstration {
  readonly ingest: IngestReport
  readonly changes: readonly LanesChanged[]
  /** Those that were in flight at a switch, as they are now. */
  readonly jobsOfBefore: readonly JobReport[]
  /** Documents that wait for jobs of a real provider, for which nobody waits here. */
  readonly waiting: number
  readonly verify: VerifyReport
  readonly bill: Bill
  /** Undefined when the price of the model is not known. */
  readonly costs: Costs | undefined
  readonly seconds: number
  readonly history: SwitchHistory
  readonly searches: readonly { readonly query: string; readonly answer: SearchAnswer }[]
}

export interface DemonstrationDeps {
  readonly up: Pick<Up, 'addresses' | 'folder'>
  readonly isLocal: boolean
  /** Of a model that is not in the price list. */
  readonly usdPerMillionTokens: number | undefined
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
const verifyMs = 600_000
const answerMs = 30_000

export async function demonstrate(deps: DemonstrationDeps, signal: AbortSignal): Promise<Demonstration> {
  const { up, context, say, isLocal, usdPerMillionTokens } = deps
  const { addresses, folder } = up
  const corpus = await gatherCorpus(join(projectRoot, 'node_modules'), join(folder, 'corpus'), deps.maxFiles)
  const before = await askStatus(context)
  const home = before.ledger?.mode === 'batch' ? 'batch' : 'realtime'
  const files = formatCount(corpus.files)
  say(`Reading ${files} Markdown files, the documentation of the installed packages, in the ${home} lane.`)
  if (!isLocal) {
    say(
      'Jobs of this provider take up to a day: the batch lane is entered and left at once, and no job is sent.'
    )
  }

  const billBefore = await readBill(addresses, isLocal, before, signal)
  const jobsBefore = await readJobs(context, signal)
  const watch = new Watch({ context, say, logs: join(folder, 'logs'), before, jobsBefore })
  const beganMs = performance.now()
  const pace = isLocal ? await slowJobs(addresses, signal) : undefined
  const sending = ingest(context, corpus.folder)
  watch.follow(sending)
  const changes = await thereAndBack({ context, watch, isLocal, home }, signal)
  await pace?.restore()
  const end = await watch.until(isLocal ? isOver : isOverButForJobs, signal)
  const seconds = (performance.now() - beganMs) / 1000
  const report = await sending

  const bill = billBetween(billBefore, await readBill(addresses, isLocal, end.status, signal))
  const verify = await askVerify(context, { examples: 10, timeout: verifyMs })
  const searches: { readonly query: string; readonly answer: SearchAnswer }[] = []
  for (const query of queries) {
    const answer = await context.api.get('/v1/search', searchAnswer, signal, { q: query, limit: hitsShown })
    searches.push({ query, answer })
  }
  const flown = new Set(changes.flatMap(({ jobIds }) => jobIds))
  const { live, past } = await readJobs(context, signal)
  return {
    ingest: report,
    changes,
    jobsOfBefore: [...past, ...live].filter(({ id }) => flown.has(id)),
    waiting: isSettled(end.status) ? 0 : end.total - end.done,
    verify,
    bill,
    costs: costsOf(bill, addresses.model, usdPerMillionTokens),
    seconds,
    history: await context.api.get('/v1/switches', switchHistory, context.within(answerMs), {
      limit: changes.length
    }),
    searches
  }
}

async function ingest(context: CliContext, folder: string): Promise<IngestReport> {
  const { report } = await produce(context, [folder], { onProgress: () => undefined })
  if (!report) throw new Error('the producer ended without a report')
  return report
}

function isOver({ isAllSent, status }: View): boolean {
  return isAllSent && isSettled(status)
}

/** Nobody waits for the jobs of a real provider, whoever sent them. */
function isOverButForJobs(view: View): boolean {
  if (isOver(view)) return true
  const { isAllSent, jobs, status, unread } = view
  const totals = status.lag?.totals
  return isAllSent && unread === 0 && jobs.live.length > 0 && totals?.outstanding === totals?.stages.inJobs
}
