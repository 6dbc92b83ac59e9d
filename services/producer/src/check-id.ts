const maxIdLength = 1000

// Line separators count as control characters: ids are shown in lists, one a line.
// oxlint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** @returns why `id` cannot name a source; undefined when it can. */
export function problemOfId(id: string): string | undefined {
  if (id === '') return 'the id is empty'
  if (id.length > maxIdLength) return `the id is longer than ${maxIdLength} characters`
  if (controlCharacter.test(id)) return 'the id holds control characters'
  if (!id.isWellFormed()) return 'the id is not valid Unicode'
  if (id.includes('..') && id.split(/[/\\]/).includes('..')) return 'the id holds a ".." segment'
  // `a#1` is also what the second chunk of a source `a` is called.
  if (/#\d+$/.test(id)) return 'the id ends like that of a chunk: #number'
  return undefined
}
