import { readFile } from 'node:fs/promises'
import { faultScriptSchema } from '@pointsman/local-openai/fault-rules'
import { expect, test } from 'vitest'

const readme = await readFile('packages/local-openai/README.md', 'utf8')

test('every fault in the README is one', () => {
  const rules = [...readme.matchAll(/`(\{"kind".*?\})`/g)].map(([, rule]) => JSON.parse(String(rule)))
  expect(rules.length).toBeGreaterThan(10)
  expect(faultScriptSchema.parse({ rules }).rules).toHaveLength(rules.length)
})

test('every fault that there is stands in the README', () => {
  const refused = faultScriptSchema.safeParse({ rules: [{ kind: 'explode' }] })
  const [issue] = refused.error?.issues ?? []
  const kinds: readonly string[] = Object(issue).options
  expect(kinds.length).toBeGreaterThan(50)
  expect(kinds.filter(kind => !readme.includes(`\`${kind}\``))).toEqual([])
})
