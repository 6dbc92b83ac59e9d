import { parse } from 'yaml'
import { problemOfMetadata } from './json-limits.ts'

export interface MarkdownParts {
  readonly title: string | undefined
  readonly frontMatter: Readonly<Record<string, unknown>> | undefined
  /** Without the front matter. */
  readonly text: string
}

const maxFrontMatterLength = 65_536

/** Takes front matter off and finds the title. What does not parse as YAML stays in the text as it is. */
export function readMarkdown(source: string): MarkdownParts {
  const whole = source.replace(/^\ufeff/, '')
  const { frontMatter, text } = takeFrontMatter(whole)
  const named = frontMatter?.['title']
  return {
    title: typeof named === 'string' && named.trim() !== '' ? named : firstHeading(text),
    frontMatter,
    text
  }
}

function takeFrontMatter(text: string): Omit<MarkdownParts, 'title'> {
  const none = { frontMatter: undefined, text }
  if (!/^---[ \t]*\r?\n/.test(text)) return none
  const close = /\r?\n---[ \t]*(?:\r?\n|$)/.exec(text.slice(0, maxFrontMatterLength))
  if (close === null) return none

  const yaml = text.slice(text.indexOf('\n') + 1, close.index)
  const frontMatter = parseYaml(yaml)
  return frontMatter === undefined ? none : { frontMatter, text: text.slice(close.index + close[0].length) }
}

function parseYaml(yaml: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // The default schema builds plain data; aliases are what a bomb is made of.
    const value: unknown = parse(yaml, { maxAliasCount: 0, logLevel: 'silent' })
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return problemOfMetadata(value) === undefined ? { ...value } : undefined
  } catch {
    return undefined // Front matter of another kind: it is text then.
  }
}

function firstHeading(text: string): string | undefined {
  let fenced = false
  let before = ''
  // A heading far down is not the title of the whole.
  for (const line of text.slice(0, 20_000).split(/\r?\n/)) {
    if (/^ {0,3}(?:```|~~~)/.test(line)) fenced = !fenced
    else if (!fenced) {
      const heading = /^ {0,3}#{1,6}[ \t]+(\S.*)$/.exec(line)?.[1]
      if (heading !== undefined) return heading.slice(0, 1000).replace(/[ \t]+#+[ \t]*$/, '')
      if (/^ {0,3}(?:={2,}|-{2,})[ \t]*$/.test(line) && /^\s{0,3}[^\s|>*+-]/.test(before))
        return before.trim()
    }
    before = line
  }
  return undefined
}
