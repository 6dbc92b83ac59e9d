import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom } from './seeded-random.ts'

const minCharacters = 200
const maxCharacters = 700

/** Different passages of the Markdown files below a folder, drawn from all of them; the same for the same files. */
export async function markdownChunks(folder: string, count: number): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const path of glob('**/*.md', { cwd: folder })) paths.push(path)
  const found = new Set<string>()
  for (const path of paths.toSorted()) {
    for (const chunk of passages(await readFile(join(folder, path), 'utf8'))) found.add(chunk)
  }
  const random = seededRandom('markdown')
  const drawn = [...found].map(chunk => [random(), chunk] as const).sort(([a], [b]) => a - b)
  return drawn.slice(0, count).map(([, chunk]) => chunk)
}

/** Whole paragraphs, joined until they are long enough. */
function passages(text: string): readonly string[] {
  const made: string[] = []
  let open = ''
  for (const paragraph of text.split(/\n\s*\n/)) {
    open = `${open}\n\n${paragraph}`.trim()
    if (open.length < minCharacters) continue
    made.push(open.slice(0, maxCharacters))
    open = ''
  }
  return made
}
