import type { SearchAnswer } from '../search/search.ts'
import { clean, excerpt } from './clean.ts'
import type { Terminal } from './terminal.ts'

const indent = 6

export function renderSearch({ hits }: SearchAnswer, terminal: Pick<Terminal, 'paint' | 'columns'>): string {
  if (hits.length === 0) return 'Nothing found: is anything indexed yet? See `pointsman status`.'
  const width = Math.min(terminal.columns, 120) - indent
  return hits
    .map(({ score, title, docId, text }) => {
      const name = clean(title) === '' ? clean(docId) : clean(title)
      return [
        `${score.toFixed(3)} ${terminal.paint('strong', name)}`,
        `${' '.repeat(indent)}${excerpt(text, width)}`,
        `${' '.repeat(indent)}${terminal.paint('dim', clean(docId))}`
      ].join('\n')
    })
    .join('\n\n')
}
