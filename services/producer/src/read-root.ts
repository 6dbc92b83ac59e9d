import { posix } from 'node:path'
import type { Clock } from '@pointsman/core/ports/clock'
import type { Changes } from './followed.ts'
import type { ReadContext } from './read-context.ts'
import { readFile } from './read-file.ts'
import { readJsonl } from './read-jsonl.ts'
import { type Root, standardInput } from './resolve-sources.ts'
import type { Reading } from './source-text.ts'
import { walkFolder } from './walk-folder.ts'
import { whileIdle } from './while-idle.ts'

export interface RootDeps {
  readonly clock: Clock
  readonly standardInput: AsyncIterable<Uint8Array>
}

const idleMs = 300

/** @param onIdle - runs when standard input has been silent for a moment. */
export async function* readRoot(
  root: Root,
  deps: RootDeps,
  context: ReadContext,
  onIdle: () => Promise<void>
): AsyncGenerator<Reading> {
  if (root.origin === standardInput) yield* readStandardInput(deps, context, onIdle)
  else if (root.followed?.changes !== undefined) yield* readChanges(root, root.followed.changes, context)
  else if (root.files === undefined) yield* readFolder(root, context)
  else for (const path of root.files) yield* readNamedFile(root, path, context)
}

async function* readChanges(root: Root, { found }: Changes, context: ReadContext): AsyncGenerator<Reading> {
  for (const [path, reason] of found) {
    if (reason !== undefined) yield { kind: 'rejected', path, reason, again: true }
    else if (root.files === undefined) yield* readFile(root.origin, path, root.device, context)
    else yield* readNamedFile(root, path, context)
  }
}

async function* readStandardInput(
  { clock, standardInput: input }: RootDeps,
  { maxBytes, signal }: ReadContext,
  onIdle: () => Promise<void>
): AsyncGenerator<Reading> {
  const place = { path: '', modifiedMs: clock.nowMs(), elsewhere: false }
  yield* readJsonl(whileIdle(input, idleMs, onIdle, clock, signal), place, maxBytes)
}

async function* readFolder(
  { origin, device, followed }: Root,
  context: ReadContext
): AsyncGenerator<Reading> {
  for await (const item of walkFolder(origin, context.signal)) {
    if (item.kind === 'rejected') yield { ...item, again: true }
    else if (item.kind === 'link' || !isWanted(item.path, context)) continue
    else if (followed?.isMoving(item.path) === true) yield { kind: 'later' }
    else yield* readFile(origin, item.path, device, context)
  }
}

/** What was named is never passed over in silence. */
async function* readNamedFile(
  { origin, device, followed }: Root,
  path: string,
  context: ReadContext
): AsyncGenerator<Reading> {
  if (followed?.isMoving(path) === true) {
    yield { kind: 'later' }
    return
  }
  for await (const reading of readFile(origin, path, device, context)) {
    if (reading.kind !== 'skipped') yield reading
    else
      yield {
        kind: 'rejected',
        path,
        reason: `files of this kind are not read: ${reading.extension || 'no extension'}`
      }
  }
}

/** Whether a run that is narrowed to some kinds of files has to do with this one. */
export function isWanted(path: string, { only }: Pick<ReadContext, 'only'>): boolean {
  return only === undefined || only.has(posix.extname(path).toLowerCase())
}
