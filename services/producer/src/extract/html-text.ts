import { convert } from 'html-to-text'

export interface ExtractedText {
  readonly title: string
  readonly text: string
}

const skipped = [
  'head',
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'img',
  'iframe',
  'object',
  'canvas'
]
const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']

const toText = {
  wordwrap: false,
  limits: { maxInputLength: 1_000_000_000 },
  selectors: [
    ...skipped.map(selector => ({ selector, format: 'skip' })),
    ...headings.map(selector => ({ selector, options: { uppercase: false } })),
    { selector: 'a', options: { ignoreHref: true } }
  ]
} as const

/** The text that a reader sees: no scripts, styles, pictures or link targets. */
export function extractHtml(html: string): ExtractedText {
  const title = titleOf(html, 'title') || titleOf(html, 'h1')
  return { title, text: convert(html, { ...toText, selectors: [...toText.selectors] }) }
}

function titleOf(html: string, selector: string): string {
  return convert(html, {
    wordwrap: false,
    limits: { maxInputLength: 1_000_000_000 },
    baseElements: { selectors: [selector], returnDomByDefault: false },
    selectors: [{ selector: 'h1', options: { uppercase: false } }]
  })
    .trim()
    .split('\n', 1)
    .join('')
}
