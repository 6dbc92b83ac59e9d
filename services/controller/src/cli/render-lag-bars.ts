import type { PartitionLag } from '../lag/lag-report.ts'

/** Narrower than this a bar tells nothing. */
const minColumns = 80
const maxColumns = 160

interface Segment {
  readonly sign: string
  readonly name: string
  readonly of: (p: PartitionLag) => number
}

/** In the order of the log, from C to E; their sum is E - C, but for what is admitted beyond the end. */
const segments: readonly Segment[] = [
  { sign: 'c', name: 'uncommitted', of: p => p.uncommitted },
  { sign: 'd', name: 'done ahead', of: p => p.doneAhead },
  { sign: 'j', name: 'in jobs', of: p => p.stages.inJobs },
  { sign: 'w', name: 'waiting', of: p => p.stages.waiting },
  { sign: 'p', name: 'paying', of: p => p.stages.paying },
  { sign: 'a', name: 'admitted', of: p => p.stages.admitted },
  { sign: '?', name: 'unaccounted', of: p => p.stages.unaccounted },
  { sign: 'x', name: 'gone', of: p => p.gone },
  { sign: '.', name: 'unread', of: p => p.unread }
]

/**
 * A bar for each partition, all on one scale, readable without colours. What is there at all has a sign at least.
 * Nothing where the terminal is too narrow, or no partition lags.
 */
export function renderLagBars(partitions: readonly PartitionLag[], columns: number): readonly string[] {
  const bars = partitions.map(p => ({
    name: String(p.partition),
    counts: segments.map(({ of }) => Math.max(0, of(p)))
  }))
  const longest = Math.max(0, ...bars.map(({ counts }) => sum(counts)))
  if (columns < minColumns || longest === 0) return []
  const names = Math.max(...bars.map(({ name }) => name.length))
  const cells = Math.min(columns, maxColumns) - names - 4
  const lines = bars.map(({ name, counts }) => ` ${name.padStart(names)} |${draw(counts, longest, cells)}|`)
  const seen = segments.filter((_, index) => bars.some(({ counts }) => (counts[index] ?? 0) > 0))
  return [...lines, ` ${seen.map(({ sign, name }) => `${sign} ${name}`).join('  ')}`, '']
}

function draw(counts: readonly number[], longest: number, cells: number): string {
  const total = sum(counts)
  const present = counts.filter(count => count > 0).length
  const own = Math.max(present, Math.round((total / longest) * cells))
  const parts = counts.map((count, index) => {
    const exact = total === 0 ? 0 : (count / total) * own
    return {
      sign: segments[index]?.sign ?? '',
      exact,
      cells: count === 0 ? 0 : Math.max(1, Math.floor(exact))
    }
  })
  // Cells that are over go where most was cut off; what single documents took too much comes from the widest.
  for (let left = own - sum(parts.map(part => part.cells)); left !== 0; left -= Math.sign(left)) {
    const [next] = parts.toSorted((a, b) =>
      left > 0 ? b.exact - b.cells - (a.exact - a.cells) : b.cells - a.cells
    )
    if (next) next.cells += Math.sign(left)
  }
  return parts.map(part => part.sign.repeat(part.cells)).join('')
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
