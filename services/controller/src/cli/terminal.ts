import { styleText } from 'node:util'
import Table from 'cli-table3'

export type Tone = 'good' | 'warning' | 'bad' | 'dim' | 'strong'

const styles = { good: 'green', warning: 'yellow', bad: 'red', dim: 'dim', strong: 'bold' } as const

/** Where a command's output goes, and what may be done there. */
export interface Terminal {
  /** Results. */
  out(text: string): void
  /** Everything else: progress, hints, errors. */
  err(text: string): void
  /** A person watches: lines may be drawn over. */
  readonly isLive: boolean
  readonly columns: number
  paint(tone: Tone, text: string): string
}

/** @param isColoured - false when the output is no terminal, or NO_COLOR is set. */
export function painter(isColoured: boolean): Terminal['paint'] {
  return (tone, text) => (isColoured ? styleText(styles[tone], text, { validateStream: false }) : text)
}

const borders = ['top', 'bottom', 'left', 'mid', 'right']
const noBorder = Object.fromEntries(
  borders.flatMap(side => [side, `${side}-mid`, `${side}-left`, `${side}-right`]).map(name => [name, ''])
)

/** Columns without lines between them. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[] } = {}
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (options.right?.includes(column) ? 'right' : 'left')),
    // Colours are ours: the library paints without asking whether there is a terminal.
    style: { head: [], border: [], compact: true },
    chars: { ...noBorder, middle: ' ' }
  })
  table.push(...rows.map(row => [...row]))
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

/** Names and their values, one a line. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}
