import type { Edit, Mutant } from './mutant.ts'

/** @throws when a text does not occur once, and no more: the product has changed, and the mutant has to follow it. */
export function plant(source: string, edits: readonly Edit[]): string {
  return edits.reduce((planted, { file, text, replacement }) => {
    const places = planted.split(text).length - 1
    if (places !== 1) throw new Error(`${file} has this ${places} times, not once: ${text}`)
    return planted.replace(text, () => replacement)
  }, source)
}

/** The edits of a mutant by the path of their file, from the root of the repository. */
export function editsByFile({ edits }: Mutant): ReadonlyMap<string, readonly Edit[]> {
  return Map.groupBy(edits, ({ file }) => file)
}
