// The property tests against a mutant: vitest runs them as it always does, and a plugin of it plants the mutant.
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { startVitest } from 'vitest/node'
import type { Attempt } from './attempt.ts'
import type { Edit, Mutant } from './mutant.ts'
import { editsByFile, plant } from './plant.ts'
import { root } from './root.ts'

/** Where the rules are that a file of `test/property` is about. */
const concerns: readonly (readonly [file: string, folders: readonly string[]])[] = [
  ['ledger', ['packages/core/src/adapters/memory']],
  ['ledger-admission', ['packages/core/src/adapters/memory']],
  ['ledger-handover', ['packages/core/src/adapters/memory']],
  ['ledger-manifests', ['packages/core/src/adapters/memory']],
  ['ledger-switch', ['packages/core/src/adapters/memory']],
  ['switching', ['packages/core/src/adapters/memory', 'services/controller/src/switching']],
  ['control-book', ['services/controller/src/switching']],
  ['rebuild', ['packages/core/src/adapters/memory', 'services/controller/src/rebuild']],
  ['paid-attempts', ['services/embedder-realtime']],
  ['giving-up', ['packages/core/src/lane', 'services/embedder-batch']],
  ['late-writes', ['packages/core/src/lane']],
  ['jobs-made-once', ['services/embedder-batch']],
  ['sweeper', ['services/controller/src/sweeper']]
]
const timeoutMs = 20_000

/** @param mutant - undefined: the product as it is. */
export async function tryProperties(mutant: Mutant | undefined): Promise<Attempt> {
  const edits = mutant === undefined ? new Map<string, readonly Edit[]>() : editsByFile(mutant)
  const files = filesFor(mutant && [...edits.keys()])
  if (files.length === 0) return { kind: 'survived', runs: 0 }
  const missing = new Set(edits.keys())
  const outcome = new Outcome()
  const plugin = {
    name: 'plant-mutant',
    enforce: 'pre' as const,
    transform(source: string, id: string): string | undefined {
      const file = relative(root, id)
      const own = edits.get(file)
      if (own === undefined) return undefined
      missing.delete(file)
      return plant(source, own)
    }
  }
  const vitest = await startVitest(
    files,
    {
      root,
      config: false,
      include: files,
      watch: false,
      // What is planted must not be kept for other runs, nor what they have kept be taken instead.
      fsModuleCache: false,
      cache: false,
      bail: 1,
      maxWorkers: 1,
      testTimeout: timeoutMs,
      setupFiles: [new URL('fixed-chance.ts', import.meta.url).pathname],
      reporters: [outcome]
    },
    { plugins: [plugin] }
  )
  await vitest.close()
  // The product's exit is the tool's own affair: vitest has set that of a failed run.
  process.exitCode = 0
  if (missing.size > 0 && mutant !== undefined) return { kind: 'survived', runs: 0 }
  return outcome.attempt()
}

function filesFor(edited: readonly string[] | undefined): string[] {
  return concerns.flatMap(([name, folders]) => {
    const isConcerned = folders.some(folder => edited?.some(file => file.startsWith(folder)) ?? true)
    return isConcerned ? [`test/property/${name}.test.ts`] : []
  })
}

class Outcome implements Reporter {
  #failed: TestCase | undefined
  #broken: string | undefined
  #passed = 0

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result()
    if (state === 'passed') this.#passed += 1
    else if (state === 'failed') this.#failed ??= test
  }

  onTestModuleEnd(module: TestModule): void {
    // A file that fails though none of its tests did could not even be loaded.
    const [error] = module.errors()
    if (error !== undefined) this.#broken ??= error.message
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly { readonly message: string }[]): void {
    const [error] = errors
    if (error !== undefined) this.#broken ??= error.message
  }

  attempt(): Attempt {
    if (this.#broken !== undefined) return { kind: 'broken', message: this.#broken }
    if (this.#failed === undefined) return { kind: 'survived', runs: this.#passed }
    const [error] = this.#failed.result().errors ?? []
    const runs = Number(/failed after (\d+) tests/.exec(error?.message ?? '')?.[1] ?? 1)
    const cause = error?.cause ?? error
    const message = stripVTControlCharacters(cause?.message ?? '').split('\n')[0] ?? ''
    return { kind: 'caught', invariant: this.#failed.name, message, runs }
  }
}
