import type { Tried } from './run-mutants.ts'

const heads = ['mutant', 'rule dropped', 'caught by', 'check that failed', 'seeds', 'seconds'] as const

/** A table in Markdown, and a line of totals. */
export function renderTable(tried: readonly Tried[]): string {
  const rows = tried.map(({ attempt, check, mutant, seconds }) => {
    const [by, what, runs] =
      attempt.kind === 'caught'
        ? [check, attempt.invariant, String(attempt.runs)]
        : attempt.kind === 'survived'
          ? ['NOTHING', 'survives', String(attempt.runs)]
          : ['NOTHING', `not judged: ${attempt.message}`, '']
    return [mutant.name, mutant.rule, by, what, runs, seconds.toFixed(1)]
  })
  const lines = [heads, heads.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`)
  const caught = tried.filter(({ attempt }) => attempt.kind === 'caught')
  const by = Map.groupBy(caught, ({ check }) => check)
  const shares = [...by].map(([check, group]) => `${group.length} by ${check}`).join(', ')
  return `${lines.join('\n')}\n\n${caught.length} of ${tried.length} mutants are caught (${shares})\n`
}
