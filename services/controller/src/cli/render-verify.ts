import { differenceKinds, type DifferenceKind, type VerifyReport } from '../verify/verify-report.ts'
import { clean } from './clean.ts'
import { formatCount, formatDuration } from './format.ts'
import { renderRepair } from './render-repair.ts'
import type { Terminal } from './terminal.ts'

const meanings: Readonly<Record<DifferenceKind, string>> = {
  lost: 'newest version neither indexed, nor open, nor a dead letter',
  missing: 'the ledger says indexed, no object is there',
  duplicate: 'more than one object',
  stale: 'the object is not that of the newest version',
  surplus: 'an object that should not be there',
  mismatch: 'the ledger disagrees with log and index'
}

export function renderVerify(report: VerifyReport, terminal: Pick<Terminal, 'paint'>): string {
  const { log, index, ledger, differences, dead, durationMs } = report
  const lines = [
    `log     ${formatCount(log.records)} records, ${formatCount(log.documents)} documents, ${formatCount(log.deleted)} deleted${unreadable(log)}`,
    `ledger  ${formatCount(ledger.indexed)} indexed, ${formatCount(ledger.open)} open, ${formatCount(ledger.unread)} unread, ${formatCount(ledger.dead)} given up${expected(ledger)}`,
    `index   ${formatCount(index.objects)} objects${unindexed(index)}`
  ]
  for (const kind of differenceKinds) {
    const { count, examples } = differences[kind]
    if (count === 0) continue
    lines.push(
      '',
      `${terminal.paint('bad', `${formatCount(count)} ${kind}`)}: ${meanings[kind]}`,
      ...named(examples, count)
    )
  }
  if (dead.count > 0) {
    const told = `${formatCount(dead.count)} given up: see \`pointsman dead-letters list\``
    lines.push('', terminal.paint('warning', told), ...named(dead.examples, dead.count))
  }
  if (report.repair !== null) lines.push('', ...renderRepair(report.repair, terminal))
  lines.push(
    '',
    verdict(report, terminal),
    terminal.paint('dim', `compared in ${formatDuration(durationMs)}`)
  )
  return lines.join('\n')
}

function verdict({ consistent, quiet, repair }: VerifyReport, terminal: Pick<Terminal, 'paint'>): string {
  if (consistent && repair !== null && repair.requeued > 0)
    return terminal.paint('good', 'No difference is left; what was sent again is indexed when lag is zero.')
  if (consistent && quiet)
    return terminal.paint('good', 'No difference: every document is where it should be.')
  if (consistent) return terminal.paint('good', 'No difference so far; work is still open.')
  if (quiet) return terminal.paint('bad', 'There are differences.')
  return terminal.paint(
    'warning',
    'There are differences, but work was open: they may pass. Try again when lag is zero.'
  )
}

function named(examples: VerifyReport['dead']['examples'], count: number): string[] {
  const lines = examples.map(({ docId, detail, version, partition, offset }) => {
    const place = partition === null ? '' : ` (partition ${partition}, offset ${offset})`
    return `  ${clean(docId)}${version === null ? '' : ` version ${version}`}${place}: ${clean(detail)}`
  })
  const more = count - examples.length
  return more > 0 ? [...lines, `  and ${formatCount(more)} more: --all names them`] : lines
}

function expected({ expected: count }: VerifyReport['ledger']): string {
  return count === 0 ? '' : `, ${formatCount(count)} expected again`
}

function unindexed({ unindexed: count }: VerifyReport['index']): string {
  return count === 0 ? '' : `, ${formatCount(count)} not searchable yet`
}

function unreadable({ unreadable: broken, unknownSchema }: VerifyReport['log']): string {
  const parts = [
    ...(broken > 0 ? [`${formatCount(broken)} unreadable`] : []),
    ...(unknownSchema > 0 ? [`${formatCount(unknownSchema)} of an unknown schema`] : [])
  ]
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}
