import {
  contentOfInputLine,
  InputFormat,
  inputFileName,
  parseInputFileName
} from '@pointsman/core/adapters/openai/input-file'
import type { ObligationId } from '@pointsman/core/domain/identity'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentOf } from '../../support/result-lines.ts'

const small = new InputFormat({ model: 'text-embedding-3-small', dimensions: 1536 })
const line = (text: string) => ({ content: contentOf(1), partition: 2, offset: 3n, text })

test('a line is a request for base64, always in the same words', () => {
  expect(small.line(line('ä "b"\n'))).toBe(
    '{"custom_id":"000000000000000000000001.2.3","method":"POST","url":"/v1/embeddings","body":' +
      '{"model":"text-embedding-3-small","input":"ä \\"b\\"\\n","encoding_format":"base64","dimensions":1536}}\n'
  )
})

test('a model that knows no dimensions is asked for none', () => {
  const ada = new InputFormat({ model: 'text-embedding-ada-002', dimensions: 1536 })
  expect(JSON.parse(ada.line(line('a')))).toMatchObject({
    body: { model: 'text-embedding-ada-002', input: 'a', encoding_format: 'base64' }
  })
  expect(ada.line(line('a'))).not.toContain('dimensions')
})

test('any text makes one line of valid UTF-8 and JSON, no longer than was estimated', () => {
  const texts = fc.string({
    unit: fc.oneof(fc.constantFrom('\ud800', '\udc00', '\u0000', '\u2028', '\ufeff', '"'), fc.string())
  })
  const valid = fc.property(texts, text => {
    const written = Buffer.from(small.line(line(text)))
    const back: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(written))
    expect(back).toMatchObject({ body: { input: text.toWellFormed() } })
    expect(written.indexOf('\n')).toBe(written.length - 1)
    expect(written.toString()).not.toMatch(/\\u[dD][89a-fA-F]/)
    expect(small.lineBytes(text)).toBeGreaterThanOrEqual(written.length)
    expect(contentOfInputLine(written.toString())).toBe(contentOf(1))
  })
  fc.assert(valid)
})

test.each(['', '{', '{}', 'null', '{"custom_id":7}', '{"custom_id":"request-1"}'])(
  'the line %j names no content',
  text => {
    expect(contentOfInputLine(text)).toBeUndefined()
  }
)

test('a file is named after namespace, ledger and manifest, and says them again', () => {
  const ledger = '0c5f2b1e-9f63-4f0a-8a52-3d2c5a6f7b80'
  for (const namespace of ['pointsman', 'a.b', 'a.b-1.2.3']) {
    const key = { namespace, ledger, manifest: '7.1.12' as ObligationId }
    expect(inputFileName(key)).toBe(`${namespace}.${ledger}.7.1.12.jsonl`)
    expect(parseInputFileName(inputFileName(key))).toEqual(key)
  }
  for (const name of [
    '',
    'input.jsonl',
    'a.b.jsonl',
    `a.${ledger}.jsonl`,
    `a.${ledger}.1.1.1.json`,
    `${ledger}.1.jsonl`
  ]) {
    expect(parseInputFileName(name)).toBeUndefined()
  }
})
