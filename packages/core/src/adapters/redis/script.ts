// A Lua script, put together from the files in ./lua and run by its digest. Beside its answer it tells how far the ledger
// is, so that its caller knows what must never be missing again (see ledger-calls.ts).
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

export type ScriptArgument = string | number | Buffer

export interface Script {
  /** The files that it is put together from. */
  readonly names: readonly string[]
  /**
   * @param prefix - of every key that the script touches.
   * @returns the raw reply, `{{serial, run}, answer}`, strings as Buffers.
   */
  run(redis: Redis, prefix: string, args: readonly ScriptArgument[]): Promise<unknown>
}

/** @param names - files in ./lua without `.lua`, in the order in which they are to stand. */
export function loadScript(...names: readonly string[]): Script {
  const steps = names
    .map(name => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8'))
    .join('\n')
  const source = `local function transition()\n${steps}\nend
local answer = transition()
if type(answer) == 'table' and answer.err then return answer end
local reached = redis.call('HMGET', KEYS[1] .. 'state', 'serial', 'run')
return { { reached[1] or '0', reached[2] or '' }, answer }`
  const sha = createHash('sha1').update(source).digest('hex')

  return {
    names,
    async run(redis, prefix, args) {
      try {
        return await redis.callBuffer('EVALSHA', sha, 1, prefix, ...args)
      } catch (error) {
        // A restarted server has forgotten the script: send it once more.
        if (!isNoScript(error)) throw error
        return redis.callBuffer('EVAL', source, 1, prefix, ...args)
      }
    }
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
