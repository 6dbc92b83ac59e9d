import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mutants } from '../../../tools/mutants/mutants.ts'
import { editsByFile, plant } from '../../../tools/mutants/plant.ts'
import { root } from '../../../tools/mutants/root.ts'

test.each(mutants)('$name can be planted: its text occurs once, and the file still parses', async mutant => {
  for (const [file, edits] of editsByFile(mutant)) {
    const source = await readFile(join(root, file), 'utf8')
    const planted = plant(source, edits)
    expect(planted).not.toBe(source)
    expect(() => stripTypeScriptTypes(planted)).not.toThrow()
  }
})

test('no two mutants have one name, and there are at least fifteen', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  expect(mutants.length).toBeGreaterThanOrEqual(15)
})

test('a text that the product does not have once is an error', () => {
  const edit = { file: 'a.ts', text: 'b', replacement: 'c' }
  expect(() => plant('a', [edit])).toThrow('a.ts has this 0 times, not once: b')
  expect(() => plant('b b', [edit])).toThrow('a.ts has this 2 times, not once: b')
  expect(plant('a b', [edit])).toBe('a c')
})
