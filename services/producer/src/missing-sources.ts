import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EmittedStore } from './emitted-store.ts'
import type { Entry } from './entry.ts'
import type { Root } from './resolve-sources.ts'
import type { RunScratch } from './run-scratch.ts'

export interface MissingSource {
  readonly entry: Entry
  /** Whether it is gone for sure; else its place could not be read. */
  readonly sure: boolean
}

const pageSize = 500

/** Sources that had documents and were not met in this run. Call it when the root was read to its end. */
export async function* missingSources(
  root: Root,
  store: EmittedStore,
  scratch: RunScratch,
  isInScope: (path: string) => boolean
): AsyncGenerator<MissingSource> {
  for (const entry of unseenIn(root, store)) {
    if (root.files?.has(entry.path) === false || !isInScope(entry.path)) continue
    const doubted = scratch.isDoubted(root.origin, entry.path)
    yield { entry, sure: !doubted && !(await isUnmounted(root, entry)) }
  }
}

function* unseenIn({ origin, followed }: Root, store: EmittedStore): Generator<Entry> {
  const { changes } = followed ?? {}
  if (changes === undefined) yield* paged(after => store.unseen(origin, after, pageSize))
  else {
    for (const path of changes.found.keys())
      yield* paged(after => store.unseenAt(origin, path, after, pageSize))
    for (const path of changes.gone) yield* paged(after => store.unseenAt(origin, path, after, pageSize))
  }
}

function* paged(pageAfter: (id: string) => readonly Entry[]): Generator<Entry> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: readonly Entry[] = pageAfter(after)
    yield* page
    after = page.at(-1)?.id
  }
}

/** It lay below a mount, and what is left of its path is on the root's own device: the mount is gone. */
async function isUnmounted(root: Root, entry: Entry): Promise<boolean> {
  if (!entry.elsewhere) return false
  for (let path = dirname(entry.path); ; path = dirname(path)) {
    const device = await deviceOf(join(root.origin, path))
    if (device !== undefined) return device === root.device
    if (path === '.') return true
  }
}

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).dev
  } catch {
    return undefined
  }
}
