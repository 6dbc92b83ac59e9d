import { formatCount, formatPercent, formatUsd } from '../../services/controller/src/cli/format.ts'
import { renderSearch } from '../../services/controller/src/cli/render-search.ts'
import { renderHistory } from '../../services/controller/src/cli/render-switch.ts'
import { renderVerify } from '../../services/controller/src/cli/render-verify.ts'
import type { Terminal } from '../../services/controller/src/cli/terminal.ts'
import type { Demonstration } from './demonstrate.ts'
import { counted } from './watch.ts'

/** What came of it, for a person. */
export function renderDemonstration(shown: Demonstration, terminal: Terminal): string {
  const { history, ingest, searches, seconds, verify, waiting } = shown
  const { documents, emitted, unchanged, tombstones } = ingest
  const sections: readonly (readonly [string, string])[] = [
    ['verify', renderVerify(verify, terminal)],
    ['bill', renderBill(shown)],
    ['switches', renderHistory(history, terminal)],
    ...searches.map(({ query, answer }) => [`search "${query}"`, renderSearch(answer, terminal)] as const)
  ]
  const waits =
    waiting === 0
      ? []
      : [
          `${counted(waiting, 'document')} wait for jobs of the provider: \`pointsman jobs\` shows them, nothing has to be done.`
        ]
  return [
    '',
    `Settled after ${seconds.toFixed(1)} s. ${formatCount(documents)} texts: ${counted(emitted, 'document')} sent, ` +
      `${formatCount(unchanged)} texts unchanged, ${formatCount(tombstones)} documents deleted.`,
    ...waits,
    backgroundOf(shown),
    ...sections.map(([title, text]) => `\n${terminal.paint('strong', title)}\n\n${text}`)
  ].join('\n')
}

/** What became of the jobs that a switch left behind. */
function backgroundOf({ bill, jobsOfBefore }: Demonstration): string {
  if (jobsOfBefore.length === 0) {
    const why = bill.batchTokens > 0 ? 'those that were sent had ended already' : 'none was sent'
    return `No job was in flight at a switch: ${why}.`
  }
  const over = jobsOfBefore.filter(({ state }) => state === 'archived')
  const texts = over.reduce((sum, { lines }) => sum + lines.done, 0)
  const ended = over.length === jobsOfBefore.length ? 'all' : formatCount(over.length)
  return (
    `Of ${counted(jobsOfBefore.length, 'job')} in flight at a switch, ${ended} ended in the background: ` +
    `${counted(texts, 'text')}, each in the index once.`
  )
}

function renderBill({ bill, costs }: Demonstration): string {
  const { batchTokens, necessaryTokens, realtimeTokens } = bill
  const paid = realtimeTokens + batchTokens
  if (paid === 0 && necessaryTokens === 0) return 'Nothing had to be paid for.'
  const lines = [
    `paid for    ${formatCount(paid)} tokens: ${formatCount(realtimeTokens)} in realtime, ${formatCount(batchTokens)} in jobs`,
    `necessary   ${formatCount(necessaryTokens)} tokens: ${paid === necessaryTokens ? 'nothing was paid for twice' : `${formatCount(paid - necessaryTokens)} were paid for twice`}`
  ]
  if (costs === undefined) return lines.join('\n')
  const { allRealtimeUsd, savedUsd, usd } = costs
  const share = allRealtimeUsd === 0 ? '' : ` (${formatPercent(savedUsd / allRealtimeUsd)})`
  return [
    ...lines,
    `cost        ${formatUsd(usd)}; all in realtime it would have been ${formatUsd(allRealtimeUsd)}: ${formatUsd(savedUsd)} saved${share}`
  ].join('\n')
}
