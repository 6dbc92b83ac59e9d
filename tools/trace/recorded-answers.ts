// What the adapter would have answered: its own codecs read the replies that were recorded.
import { RedisLedger } from '@pointsman/core/adapters/redis/ledger'
import type { Script } from '@pointsman/core/adapters/redis/script'
import { readState } from '@pointsman/core/adapters/redis/state-codec'
import type { TracedMethod } from '@pointsman/core/adapters/redis/trace'
import { Redis } from 'ioredis'
import type { Outcome } from './outcome.ts'
import { Refusal, replyOf, type TraceEntry } from './trace-entry.ts'

/** What a script tells of the ledger beside its answer: nothing that is of interest here. */
const reached = [Buffer.from('0'), Buffer.from('')]

/** By the first word of an error that a script answers. */
const refusals: Readonly<Record<string, string>> = {
  LEDGERFOREIGN: 'LEDGER_FOREIGN',
  LEDGERREBUILDING: 'LEDGER_REBUILDING',
  LEDGERMISUSE: 'RangeError'
}

/** Of the lives of the server, which the specification knows nothing of. The call changed nothing. */
const ofServer = ['LEDGERRUN', 'LEDGERROLLEDBACK']

export class RecordedAnswers {
  readonly #redis = neverConnected()
  readonly #ledger: RedisLedger
  #replies: unknown[] = []
  #isCutShort = false

  constructor() {
    const stub: Script = { names: [], run: async () => [reached, this.#nextReply()] }
    this.#ledger = new RedisLedger(this.#redis, 'replayed', { through: () => stub })
  }

  /** Undefined for what the specification has nothing to say of. */
  async outcomeOf(
    entry: TraceEntry,
    method: TracedMethod,
    args: readonly unknown[]
  ): Promise<Outcome | undefined> {
    const reply = replyOf(entry)
    if (reply instanceof Refusal) {
      const [word = ''] = reply.text.split(' ')
      return ofServer.includes(word) ? undefined : { kind: 'refused', because: refusals[word] ?? reply.text }
    }
    if (method === 'distrust') return { kind: 'answered', answer: undefined, isCutShort: false }
    if (method === 'open') return { kind: 'answered', answer: readState(reply), isCutShort: false }
    // Asked again by the next entry, with all parts that have to go together.
    if (method === 'move' && Array.isArray(reply) && String(reply[0]) === 'scattered') return undefined
    this.#replies = [reply]
    this.#isCutShort = false
    const answer: unknown = await Reflect.apply(this.#ledger[method], this.#ledger, args)
    return { kind: 'answered', answer, isCutShort: this.#isCutShort }
  }

  #nextReply(): unknown {
    const [reply] = this.#replies
    if (this.#replies.length > 0) {
      this.#replies = []
      return reply
    }
    // A page of parts: what is read on behalf of a call is not recorded.
    this.#isCutShort = true
    return Buffer.alloc(0)
  }
}

function neverConnected(): Redis {
  const redis = new Redis({ lazyConnect: true, enableOfflineQueue: false })
  redis.disconnect()
  return redis
}
