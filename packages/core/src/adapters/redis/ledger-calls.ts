// How a ledger's scripts are called: with what the caller knows of the ledger, which each of them checks first. No answered
// call is ever lost unnoticed:
//
//   - A script counts the transitions (`serial`). A ledger that counted fewer than it answered this caller was rolled back.
//   - A script compares the life of its server with the one that the ledger notes. In another life, whoever meets it first
//     looks at the server. If nothing that was answered can be missing, by its settings then and now, the ledger notes the
//     new life, and how far it had come; else it is distrusted. Until then nobody is answered, and a command that was sent
//     again after the restart is refused as well.
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { Failure } from '../../domain/failure.ts'
import { messageOf } from '../../runtime/message-of.ts'
import { asList, asNumber, asText } from './reply.ts'
import type { Script, ScriptArgument } from './script.ts'
import { loadScript } from './script.ts'
import { inspectServerLife } from './server-life.ts'

const acceptRunScript = loadScript('server-run', 'accept-run')
const distrustScript = loadScript('server-run', 'begin', 'distrust')

/** A server that is started anew so often while one call is made is not one to work with. */
const maxRounds = 5

export class LedgerCalls {
  readonly redis: Redis
  readonly prefix: string
  readonly #through: (script: Script) => Script
  #known = { ledgerId: '', run: '', serial: 0 }

  /** @param through - what is run in the place of a script. */
  constructor(redis: Redis, namespace: string, through: (script: Script) => Script) {
    this.redis = redis
    this.#through = through
    this.prefix = `{${namespace}}:`
  }

  /** @returns what the script answers. @throws as the port says. */
  run(script: Script, ...args: readonly ScriptArgument[]): Promise<unknown> {
    return translated(this.#answerOf('this', script, args))
  }

  /**
   * As `run`, and whatever ledger is there will do.
   * @param idOf - reads the ledger's id from the answer: from then on another one is refused.
   */
  open(
    script: Script,
    idOf: (answer: unknown) => string,
    ...args: readonly ScriptArgument[]
  ): Promise<unknown> {
    return translated(this.#answerOf('any', script, args, idOf))
  }

  /** Does nothing while the ledger is rebuilt. */
  distrust(ledgerId: string, because: string): Promise<void> {
    return translated(this.#distrust(ledgerId, because, 0))
  }

  /** @param thorough - a ledger that is being rebuilt begins anew as well. */
  async #distrust(ledgerId: string, because: string, thorough: 0 | 1): Promise<void> {
    const { isDurable } = await inspectServerLife(this.redis)
    const told = [ledgerId, randomUUID(), because, durableArgument(isDurable), thorough]
    await this.#send(distrustScript, told)
  }

  async #answerOf(
    mode: 'this' | 'any',
    script: Script,
    args: readonly ScriptArgument[],
    idOf?: (answer: unknown) => string
  ): Promise<unknown> {
    for (let round = 1; ; round++) {
      const { ledgerId, run, serial } = this.#known
      try {
        const [reached, answer] = await this.#send(script, [`${ledgerId} ${run} ${serial} ${mode}`, ...args])
        this.#note(idOf?.(answer) ?? ledgerId, asList(reached), idOf !== undefined)
        return answer
      } catch (error) {
        if (round === maxRounds || !(await this.#isMet(messageOf(error), ledgerId))) throw error
      }
    }
  }

  async #send(script: Script, args: readonly ScriptArgument[]): Promise<readonly unknown[]> {
    return asList(await this.#through(script).run(this.redis, this.prefix, args))
  }

  /** Answers may come in another order than they were given. */
  #note(ledgerId: string, [serial, run]: readonly unknown[], isOpened: boolean): void {
    const known = this.#known
    const next = { ledgerId, run: asText(run), serial: asNumber(serial) }
    const isOther = known.ledgerId !== ledgerId
    if (isOther ? isOpened : next.serial >= known.serial) this.#known = next
  }

  /** Whether the call is worth repeating, since what it met was seen to. */
  async #isMet(message: string, ledgerId: string): Promise<boolean> {
    const [kind, ...rest] = message.split(' ')
    if (kind === 'LEDGERROLLEDBACK') {
      await this.#distrust(ledgerId, `the ledger was rolled back: ${rest.join(' ')}`, 1)
      return true
    }
    if (kind !== 'LEDGERRUN') return false
    const [met = '', noted = '-', durable, run] = rest
    await this.#meetRun(met, noted === '-' ? '' : noted, durable === '1', run)
    return true
  }

  async #meetRun(
    ledgerId: string,
    noted: string,
    wasDurable: boolean,
    runId: string | undefined
  ): Promise<void> {
    const life = await inspectServerLife(this.redis)
    if (life.isReplica) throw new Failure('LEDGER_UNAVAILABLE', 'redis: this server is a replica')
    // Started anew once more: the next round meets that.
    if (runId === undefined || life.runId !== runId) return
    const isKept = (noted === '' || wasDurable) && life.isDurable === true
    if (life.wasPromoted) {
      await this.#distrust(
        ledgerId,
        'another Redis server took over, which may lack what was answered last',
        1
      )
    } else if (isKept) {
      await this.#send(acceptRunScript, [ledgerId, noted, runId, 1])
    } else {
      const because =
        'Redis was started anew, and does not promise to keep what it answered (appendfsync always)'
      await this.#distrust(ledgerId, because, 1)
    }
  }
}

/** As the scripts are told of a server: 1, 0, or '' when it does not tell. */
export function durableArgument(isDurable: boolean | undefined): ScriptArgument {
  if (isDurable === undefined) return ''
  return isDurable ? 1 : 0
}

async function translated<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    throw translate(error)
  }
}

function translate(error: unknown): Error {
  if (error instanceof Failure) return error
  const message = messageOf(error)
  if (message.startsWith('LEDGERMISUSE')) return new RangeError(message)
  if (message.startsWith('LEDGERREBUILDING'))
    return new Failure('LEDGER_REBUILDING', `redis: ${message}`, { cause: error })
  // WRONGTYPE: keys of somebody else's making. Redis before 7 tells it inside of another error.
  const isForeign = message.startsWith('LEDGERFOREIGN') || message.includes('WRONGTYPE')
  return new Failure(isForeign ? 'LEDGER_FOREIGN' : 'LEDGER_UNAVAILABLE', `redis: ${message}`, {
    cause: error
  })
}
