import type { Deadline } from './deadline.ts'
import { withDeadline } from './deadline.ts'

export interface Connection<Client> {
  connect(): Promise<Client>
  disconnect(client: Client): Promise<void>
}

/**
 * One connected client, made when it is needed. After a call that failed, nobody knows in what state its client is:
 * the next call gets a new one.
 */
export class Reconnecting<Client> implements AsyncDisposable {
  readonly #connection: Connection<Client>
  #current: Promise<Client> | undefined

  constructor(connection: Connection<Client>) {
    this.#connection = connection
  }

  /** @throws {Failure} of the deadline's code for whatever `call` throws, and when time is over. */
  async use<Value>(deadline: Deadline, call: (client: Client) => Promise<Value>): Promise<Value> {
    const connecting = (this.#current ??= this.#connection.connect())
    const work = connecting.then(call)
    try {
      return await withDeadline(work, deadline)
    } catch (error) {
      this.#drop(connecting)
      // What was given up may connect once more to finish: close that too.
      work.catch(() => undefined).finally(() => this.#close(connecting))
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const current = this.#current
    this.#current = undefined
    if (current === undefined) return
    const closing = current.then(client => this.#connection.disconnect(client)).catch(() => undefined)
    await withDeadline(closing, { ms: 5_000, what: 'disconnecting', code: 'LOG_UNAVAILABLE' }).catch(
      () => undefined
    )
  }

  #drop(connecting: Promise<Client>): void {
    if (this.#current !== connecting) return
    this.#current = undefined
    this.#close(connecting)
  }

  /** Not waited for: the other side may be gone. */
  #close(connecting: Promise<Client>): void {
    connecting.then(client => this.#connection.disconnect(client)).catch(() => undefined)
  }
}
