// Plants a mutant in the modules that this process loads from now on. Nothing in the product knows of it: whoever wants
// a mutant has to call this function, and only the tool does, in a process of its own.
import { registerHooks } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'
import { editsByFile, plant } from './plant.ts'
import { root } from './root.ts'

/** @returns the files that were not loaded so far, so that the mutant is not there yet. */
export function plantWhileLoading(mutant: Mutant): ReadonlySet<string> {
  const edits = editsByFile(mutant)
  const missing = new Set(edits.keys())
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : ''
      const own = edits.get(file)
      if (own === undefined) return loaded
      missing.delete(file)
      const { source } = loaded
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      return { ...loaded, source: plant(text, own) }
    }
  })
  return missing
}
