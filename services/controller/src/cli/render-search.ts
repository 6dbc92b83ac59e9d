import type { SearchAnswer } from '../search/search.ts'
import { clean, excerpt } from './clean.ts'
import type { Terminal } from './terminal.ts'

const indent = 6
const excerptLines = 2
/** Lines end where words do. */
const slack = 16

export function renderSearch({ hits }: SearchAnswer, terminal: Pick<Terminal, 'paint' | 'columns'>): string {
  if (hits.length === 0) return 'Nothing found: is anything indexed yet? See `pointsman status`.'
  const width = Math.min(terminal.columns, 120) - indent
  return hits
    .map(({ score, title, docId, text }) => {
      const name = clean(title) === '' ? clean(docId) : clean(title)
      const shown = excerpt(text, width * excerptLines - slack)
      return [
        `${score.toFixed(3)} ${terminal.paint('strong', name)}`,
        ...wrapped(shown, width).map(line => `${' '.repeat(indent)}${line}`),
        `${' '.repeat(indent)}${terminal.paint('dim', clean(docId))}`
      ].join('\n')
    })
    .join('\n\n')
}

function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
