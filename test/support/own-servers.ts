import { join } from 'node:path'
import { artifacts } from '../../tools/stack/artifacts.ts'
import { cacheRoot, stateOf } from '../../tools/stack/cache.ts'
import type { PartName } from '../../tools/stack/part.ts'
import { StackError } from '../../tools/stack/stack-error.ts'
import { startStack, type Stack } from '../../tools/stack/start-stack.ts'
import { onPath } from '../../tools/stack/toolchain.ts'

/**
 * Servers of one test file alone, which it kills, freezes and restarts by their process ids. Native whatever TEST_STACK
 * says: what is asked is what a client makes of a process that dies or hangs, which does not depend on who packed it.
 * @throws {StackError} that says so, beside what is missing.
 */
export async function startOwnServers(...parts: readonly PartName[]): Promise<Stack> {
  try {
    await requireFetched(parts)
    return await startStack({ parts, log: () => undefined })
  } catch (error) {
    if (!(error instanceof StackError)) throw error
    const why =
      'This test kills, freezes or restarts servers: it starts native ones, whatever TEST_STACK says.'
    throw new StackError(`${error.message}\n${why}`, { cause: error })
  }
}

/** A run on native servers has fetched them already; elsewhere it would take minutes here, until the test's time is up. */
async function requireFetched(parts: readonly PartName[]): Promise<void> {
  const root = cacheRoot(process.env)
  const states = await Promise.all(
    parts.map(async part =>
      part === 'redis' && (await onPath('redis-server', process.env)) !== undefined
        ? 'intact'
        : await stateOf(join(root, artifacts[part].folder))
    )
  )
  const absent = parts.filter((_, index) => states[index] !== 'intact').join(',')
  if (absent === '') return
  throw new StackError(
    `not fetched yet: ${absent}. Run "npm run stack -- up --parts ${absent}" once; Ctrl-C when it is ready`
  )
}
