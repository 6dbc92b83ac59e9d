import type { LetterDetail, LetterReport, ReplayReport } from '../dead-letters/letter-report.ts'
import { clean, excerpt } from './clean.ts'
import { formatCount, formatTime } from './format.ts'
import { renderPairs, renderTable, type Terminal } from './terminal.ts'

export function renderLetters(letters: readonly LetterReport[], columns: number): string {
  if (letters.length === 0) return 'No dead letters.'
  const rows = letters.map(({ id, docId, attempts, atMs, reason }) => [
    id,
    excerpt(docId ?? '(no key)', 40),
    String(attempts),
    formatTime(atMs),
    excerpt(reason, Math.max(20, columns - 90))
  ])
  const count = letters.length === 1 ? '1 dead letter' : `${formatCount(letters.length)} dead letters`
  const hint = 'Replay with `pointsman dead-letters replay ID...` or `--all`.'
  return `${renderTable(['id', 'document', 'attempts', 'given up', 'reason'], rows, { right: [2] })}\n\n${count}. ${hint}`
}

export function renderLetter(letter: LetterDetail, terminal: Pick<Terminal, 'paint'>): string {
  const { id, docId, partition, offset, reason, attempts, atMs, document, unreadable } = letter
  const rows: (readonly [string, string])[] = [
    ['id', id],
    ['document', clean(docId ?? '(no key)')],
    ['stood at', `partition ${partition}, offset ${offset}`],
    ['given up', `${formatTime(atMs)}, after ${attempts} attempts`],
    ['reason', clean(reason)]
  ]
  if (unreadable !== null)
    rows.push(['record', terminal.paint('bad', `cannot be read: ${clean(unreadable)}`)])
  if (document) {
    rows.push(
      ['title', clean(document.title)],
      ['version', String(document.version)],
      ['chunk', `${document.chunk + 1} of ${document.chunks}, ${formatCount(document.tokens)} tokens`]
    )
  }
  const table = renderPairs(rows)
  return document ? `${table}\n\n${clean(document.text)}` : table
}

const named = 20

export function renderReplay({ replayed, skipped }: ReplayReport): string {
  const lines = [
    `${formatCount(replayed)} sent again${skipped.length === 0 ? '.' : `, ${formatCount(skipped.length)} left out:`}`
  ]
  for (const { id, docId, detail } of skipped.slice(0, named)) {
    lines.push(`  ${id} ${excerpt(docId ?? '(no key)', 40)}: ${clean(detail)}`)
  }
  if (skipped.length > named)
    lines.push(`  and ${formatCount(skipped.length - named)} more: --json names them`)
  return lines.join('\n')
}
