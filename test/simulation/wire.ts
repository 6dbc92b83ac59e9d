// Between a process and everything outside of it: every call takes time to arrive and its answer to come back, and
// either may be lost. What is carried out is seen by a witness before and after.
import type { Life } from './host.ts'
import type { Target, Trouble } from './plan.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import type { Weather } from './weather.ts'

/** A call that arrives. */
export interface Call {
  readonly life: Life
  readonly target: Target
  readonly method: string
  readonly args: readonly unknown[]
  /** Its answer will not be seen by the caller. */
  readonly isUnheard: boolean
}

/** What is asked at the moment at which a call is carried out. @returns what is to be asked afterwards. */
export type Witness = (call: Call) => (answer: unknown) => Promise<void>

export interface WireOptions {
  readonly schedule: Schedule
  readonly weather: Weather
  readonly random: Random
  readonly latencyMs: number
  readonly witness: Witness
}

type Method = (...args: unknown[]) => unknown

/** How long a client waits for an answer. */
const patienceMs = 400

export class Wire {
  readonly #options: WireOptions
  /** Calls on one connection arrive in their order. */
  readonly #lastArrival = new WeakMap<Life, number>()

  constructor(options: WireOptions) {
    this.#options = options
  }

  /**
   * A port as the process sees it.
   * @param local - methods that do not leave the process.
   */
  port<Port extends object>(
    life: Life,
    target: Target,
    port: Port,
    local: readonly (keyof Port & string)[] = []
  ): Port {
    const methods = new Map<string | symbol, unknown>()
    return new Proxy(port, {
      get: (_, key) => {
        const known = methods.get(key)
        if (known !== undefined) return known
        const value: unknown = Reflect.get(port, key, port)
        if (typeof value !== 'function') return value
        const method: Method = (...args) => Reflect.apply(value, port, args)
        const isLocal = typeof key === 'symbol' || local.some(name => name === key)
        const sent = isLocal ? method : this.#sent(life, target, String(key), method)
        methods.set(key, sent)
        return sent
      }
    })
  }

  #sent(life: Life, target: Target, name: string, method: Method): Method {
    if (name === 'scan' || name === 'contents') {
      return (...args) => this.#iterated(life, target, name, method, args)
    }
    return (...args) => this.#send(life, target, name, method, args)
  }

  /** What is read piece by piece: each piece is a call. */
  async *#iterated(
    life: Life,
    target: Target,
    name: string,
    method: Method,
    args: readonly unknown[]
  ): AsyncGenerator<unknown> {
    const pieces: unknown = method(...args)
    if (!isAsyncIterable(pieces)) throw new TypeError(`${name} gives nothing to iterate over`)
    const iterator = pieces[Symbol.asyncIterator]()
    for (;;) {
      const next = await this.#send(life, target, name, () => iterator.next(), [])
      if (!isPiece(next) || next.done === true) return
      yield next.value
    }
  }

  #send(
    life: Life,
    target: Target,
    name: string,
    method: Method,
    args: readonly unknown[]
  ): Promise<unknown> {
    if (life.isDead) return new Promise(() => undefined)
    const { schedule, weather } = this.#options
    const { promise, reject, resolve } = Promise.withResolvers<unknown>()
    const signal = args.findLast(arg => arg instanceof AbortSignal)
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
    // It goes on its way even if nobody waits for it any more.
    const sent = args.map(arg => (arg === signal ? new AbortController().signal : arg))
    const onAbort = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const answer = (settle: () => void): void => {
      life.reach(() => {
        signal?.removeEventListener('abort', onAbort)
        settle()
      })
    }

    const given = weather.troubleOf(target, schedule.nowMs)
    // An upload reads from the process that sends it: it cannot outlive the attention of that.
    const trouble = given === 'late' && name === 'upload' ? 'lose-answer' : given
    const isLost = trouble === 'refuse' || trouble?.startsWith('lose') === true || trouble === 'late'
    const backMs = trouble === 'refuse' ? this.#legMs(undefined) * 2 : patienceMs
    if (isLost) {
      schedule.after(backMs, () => answer(() => reject(weather.failureOf(target, trouble))))
    }
    if (trouble === 'refuse' || trouble === 'lose-request') return promise

    const carryOut = (isUnheard: boolean): Promise<unknown> =>
      this.#carryOut({ life, target, method: name, args: sent, isUnheard }, method)
    this.#travel(life, target, trouble, () => {
      const isUnheard = isLost || life.isDead || signal?.aborted === true
      void carryOut(isUnheard).then(
        value => {
          if (isLost) return
          if (trouble !== 'twice') {
            schedule.after(this.#legMs(trouble), () => answer(() => resolve(value)))
            return
          }
          schedule.after(this.#legMs(trouble), () => {
            void carryOut(isUnheard).then(
              again => schedule.after(this.#legMs(trouble), () => answer(() => resolve(again))),
              (error: unknown) => answer(() => reject(error))
            )
          })
        },
        (error: unknown) => {
          if (!isLost) schedule.after(this.#legMs(trouble), () => answer(() => reject(error)))
        }
      )
    })
    return promise
  }

  /** To the other side: from the process, which may be stopped before it has sent anything, and over the net. */
  #travel(life: Life, target: Target, trouble: Trouble | undefined, arrive: () => void): void {
    const { random, schedule } = this.#options
    const legMs = this.#legMs(trouble) + (trouble === 'late' ? patienceMs + random.between(0, 1_500) : 0)
    const isHeldUp = random.chance(0.2)
    const go = (): void => {
      let delayMs = legMs
      if (target === 'ledger') {
        const earliestMs = this.#lastArrival.get(life) ?? 0
        const arrivalMs = Math.max(schedule.nowMs + legMs, earliestMs)
        this.#lastArrival.set(life, arrivalMs)
        delayMs = arrivalMs - schedule.nowMs
      }
      schedule.after(delayMs, arrive)
    }
    if (isHeldUp && target !== 'ledger') life.after(random.between(0, 2), go)
    else go()
  }

  async #carryOut(call: Call, method: Method): Promise<unknown> {
    const afterwards = this.#options.witness(call)
    const answer: unknown = await method(...call.args)
    await afterwards(answer)
    return answer
  }

  #legMs(trouble: Trouble | undefined): number {
    const { latencyMs, random } = this.#options
    const usual = latencyMs * random.between(0.3, 1.7)
    if (trouble === 'slow') return usual * random.between(10, 60)
    // Now and then a packet is sent again.
    return random.chance(0.02) ? usual * 15 : usual
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function isPiece(value: unknown): value is IteratorResult<unknown> {
  return typeof value === 'object' && value !== null && 'done' in value
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted')
}
