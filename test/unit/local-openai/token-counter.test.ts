import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { digestText } from '@pointsman/local-openai/paid-input'
import { TokenCounter } from '@pointsman/local-openai/token-counter'
import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base'
import { expect, test } from 'vitest'

const counter = new TokenCounter()
const asText = { disallowedSpecial: new Set<string>() }

function expectExact(text: string): void {
  expect(counter.count(text, digestText(text))).toBe(text === '' ? 0 : countTokens(text, asText))
  // From memory the second time.
  expect(counter.count(text, digestText(text))).toBe(text === '' ? 0 : countTokens(text, asText))
}

// What decides where a piece ends: endings with an apostrophe, blanks, line ends, letters that are not ASCII.
const fragments = fc.constantFrom(
  ..."'s 'LL ' don't a The é naïve 漢字 😀 1 123 12345 ² . ... 're ſ 'ſ _ foo_bar <|endoftext|> ª ("
    .split(' ')
    .flatMap(word => [word, ` ${word}`]),
  ' ',
  '  ',
  '\n',
  '\r\n',
  ' \n ',
  '\n\n',
  '\t',
  '\u00a0',
  'a\u0301',
  '\ud800'
)

test('counts what the tokenizer counts, whatever the text', () => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 30 }), parts => expectExact(parts.join(''))),
    {
      numRuns: 3000
    }
  )
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), expectExact), { numRuns: 2000 })
})

test('counts what the tokenizer counts in prose and in code', () => {
  const require = createRequire(import.meta.url)
  for (const module of ['fast-check', 'zod']) {
    const folder = require.resolve(`${module}/package.json`).replace('package.json', '')
    const text = readFileSync(`${folder}README.md`, 'utf8')
    for (let start = 0; start < text.length; start += 700) expectExact(text.slice(start, start + 700))
  }
})
