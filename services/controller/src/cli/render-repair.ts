import type { LeftReason, RepairReport } from '../verify/repair-report.ts'
import { leftReasons } from '../verify/repair-report.ts'
import { clean } from './clean.ts'
import { formatCount } from './format.ts'
import type { Terminal } from './terminal.ts'

const remedies: Readonly<Record<LeftReason, string>> = {
  expired: 'the log no longer keeps the newest version: ingest the document again',
  open: 'the ledger calls it open, and nothing is under way: only `pointsman rebuild` mends that',
  ahead: 'an object that the ledger does not know yet: look again when lag is zero',
  unknown: 'objects that neither log nor ledger knows, and many: if they are nobody else’s, --remove-unknown',
  moved: 'changed while it was looked at: look again'
}

/** What a repair did, and what it left. */
export function renderRepair(repair: RepairReport, terminal: Pick<Terminal, 'paint'>): string[] {
  const { corrected, found, left, lettered, removed, requeued } = repair
  const differences = Object.values(found).reduce((sum, count) => sum + count, 0)
  const done = [
    `sent again ${formatCount(requeued)}`,
    `objects removed ${formatCount(removed)}`,
    `ledger entries corrected ${formatCount(corrected)}`,
    ...(lettered > 0 ? [`dead letters written ${formatCount(lettered)}`] : [])
  ]
  const lines = [
    terminal.paint('strong', `Repair: differences found ${formatCount(differences)}; ${done.join(', ')}.`)
  ]
  for (const reason of leftReasons) {
    const { count, examples } = left[reason]
    if (count === 0) continue
    lines.push(terminal.paint('warning', `${formatCount(count)} left: ${remedies[reason]}`))
    lines.push(...examples.map(docId => `  ${clean(docId)}`))
    if (count > examples.length) lines.push(`  and ${formatCount(count - examples.length)} more`)
  }
  return lines
}
