// The registry, with what its client lacks: a deadline, errors told apart by what they mean, and memory of ids that
// are unknown. One per process: its cache is per instance, and its retry settings are global.
import { setTimeout as delay } from 'node:timers/promises'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import avro from 'avsc'
import { Failure } from '../../domain/failure.ts'
import type { RegistrySettings } from '../../runtime/settings.ts'
import { completeSubject } from './complete-subject.ts'
import { withDeadline } from './deadline.ts'
import { documentSchema, documentType } from './document-schema.ts'
import { messageOf } from '../../runtime/message-of.ts'

const requestMs = 3_000
const callMs = 6_000
/** How long an answer "unknown" stands, and how long nobody asks after an outage was noticed. */
const unknownMs = 30_000
const outageMs = 1_000
const levelRetries = 5
const levelRetryMs = 300

/** How to read what was written with one schema: a resolver, or why it cannot be read. */
export type Reading = { readonly resolver: Resolver | undefined } | { readonly unknown: string }

type Resolver = ReturnType<avro.Type['createResolver']>

export class DocumentSchemas {
  readonly #settings: RegistrySettings
  readonly #registry: SchemaRegistry
  readonly #subject: string
  readonly #known = new Map<number, Reading>()
  readonly #asking = new Map<number, Promise<Reading>>()
  readonly #unknownUntilMs = new Map<number, number>()
  #outageUntilMs = 0
  #outage: unknown

  constructor(settings: RegistrySettings, topic: string) {
    const { SCHEMA_REGISTRY_URL: host, SCHEMA_REGISTRY_USERNAME: username } = settings
    const password = settings.SCHEMA_REGISTRY_PASSWORD ?? ''
    this.#settings = settings
    this.#subject = `${topic}-value`
    this.#registry = new SchemaRegistry({
      host,
      ...(username !== undefined && { auth: { username, password } }),
      middlewares: [() => ({ prepareRequest: async next => (await next()).enhance({ timeout: requestMs }) })]
    })
  }

  /**
   * Makes sure that the registry has our schema.
   * @returns its id.
   * @throws {Failure} `REGISTRY_UNAVAILABLE`; `SCHEMA_UNKNOWN` when it is refused.
   */
  async register(signal?: AbortSignal): Promise<number> {
    // The client sets the level of a new subject after it has made it: whoever registers in between finds none, and
    // of two who set it at once one is refused. Who made it may also be gone: the last try sets the level itself.
    for (let left = levelRetries; ; left -= 1) {
      try {
        return await this.#registerOnce(signal)
      } catch (error) {
        if (left === 0 || !(error instanceof Failure) || !isRace(error.cause)) throw error
        if (left === 1) await this.#complete(signal)
        await delay(levelRetryMs, undefined, { ...(signal && { signal }) })
      }
    }
  }

  async #registerOnce(signal: AbortSignal | undefined): Promise<number> {
    const schema = { type: SchemaType.AVRO, schema: JSON.stringify(documentSchema) } as const
    try {
      const { id } = await this.#call(this.#registry.register(schema, { subject: this.#subject }), signal)
      this.#known.set(id, { resolver: undefined })
      return id
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      const remedy =
        'the subject holds a schema that ours does not follow, or its level is not BACKWARD; for that: ' +
        `PUT /config/${this.#subject} {"compatibility":"BACKWARD"}`
      throw new Failure('SCHEMA_UNKNOWN', `schema of ${this.#subject} refused: ${refusal}; ${remedy}`, {
        cause: error
      })
    }
  }

  async #complete(signal: AbortSignal | undefined): Promise<void> {
    const deadline = AbortSignal.timeout(callMs)
    const until = signal ? AbortSignal.any([signal, deadline]) : deadline
    const completing = completeSubject(this.#settings, this.#subject, JSON.stringify(documentSchema), until)
    await this.#call(completing, signal)
  }

  /** At once for a schema that was met before. */
  known(id: number): Reading | undefined {
    const unknownUntilMs = this.#unknownUntilMs.get(id)
    if (unknownUntilMs !== undefined && unknownUntilMs < Date.now()) {
      this.#unknownUntilMs.delete(id)
      this.#known.delete(id)
    }
    return this.#known.get(id)
  }

  /** @throws {Failure} `REGISTRY_UNAVAILABLE` */
  ask(id: number): Promise<Reading> {
    if (Date.now() < this.#outageUntilMs) return Promise.reject(this.#outage)
    const asking = this.#asking.get(id) ?? this.#ask(id).finally(() => this.#asking.delete(id))
    this.#asking.set(id, asking)
    return asking
  }

  async #ask(id: number): Promise<Reading> {
    const reading = await this.#find(id)
    if ('unknown' in reading) this.#unknownUntilMs.set(id, Date.now() + unknownMs)
    this.#known.set(id, reading)
    return reading
  }

  async #find(id: number): Promise<Reading> {
    let writer: unknown
    try {
      writer = await this.#call(this.#registry.getSchema(id))
    } catch (error) {
      if (statusOf(error) === 404) return { unknown: `the registry does not know schema ${id}` }
      this.#outage = error
      this.#outageUntilMs = Date.now() + outageMs
      throw error
    }
    if (!isAvroType(writer)) return { unknown: `schema ${id} is not Avro` }
    if (documentType.equals(writer)) return { resolver: undefined }
    try {
      return { resolver: documentType.createResolver(writer) }
    } catch (error) {
      return { unknown: `schema ${id} does not fit ours: ${messageOf(error)}` }
    }
  }

  #call<Value>(call: Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const deadline = { ms: callMs, what: 'schema registry', code: 'REGISTRY_UNAVAILABLE' } as const
    return withDeadline(call, { ...deadline, ...(signal && { signal }) })
  }
}

function isAvroType(schema: unknown): schema is avro.Type {
  return avro.Type.isType(schema)
}

/** The registry's own "no". A refused connection is no answer, though the client calls it status 400. */
function refusalOf(error: unknown): string | undefined {
  const cause = error instanceof Failure ? error.cause : error
  if (!(cause instanceof Error)) return undefined
  return isLevelError(cause) || refusals.has(statusOf(error) ?? 0) ? cause.message : undefined
}

function isLevelError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError'
}

/** An incompatible schema looks like this as well; then it still does after the last try. */
function isRace(error: unknown): boolean {
  return isLevelError(error instanceof Failure ? error.cause : error) || statusOf(error) === 409
}

const refusals = new Set([401, 403, 409, 422])

function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Failure ? error.cause : error
  if (!(cause instanceof Error) || !('status' in cause)) return undefined
  return typeof cause.status === 'number' ? cause.status : undefined
}
