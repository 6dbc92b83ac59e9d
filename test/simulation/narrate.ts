// Tells what was carried out, in the words of a person who knows the documents by name.
import type { Digest } from '@pointsman/core/domain/identity'
import type { Ledger, Part } from '@pointsman/core/ports/ledger'
import type { VectorStore } from '@pointsman/core/ports/vector-store'
import { docKey } from '@pointsman/core/runtime/identity'
import type { Call } from './wire.ts'
import type { World } from './world.ts'

type Args<Port, Name extends keyof Port> = Port[Name] extends (...args: infer Given) => unknown
  ? Given
  : never
type Reply<Port, Name extends keyof Port> = Port[Name] extends (...args: never[]) => Promise<infer Given>
  ? Given
  : never

export class Narrator {
  readonly #world: World
  readonly #names = new Map<Digest, string>()

  constructor(world: World) {
    this.#world = world
  }

  produced(docId: string): void {
    this.#names.set(docKey(docId), docId)
  }

  nameOf(key: Digest): string {
    return this.#names.get(key) ?? key
  }

  tell({ args, isUnheard, life, method, target }: Call, answer: unknown): void {
    const said = this.#said(target, method, args, answer)
    if (said !== undefined) this.#world.story.tell(life.name, isUnheard ? `${said} (unheard)` : said)
  }

  #said(
    target: Call['target'],
    method: string,
    args: readonly unknown[],
    answer: unknown
  ): string | undefined {
    if (target === 'ledger') return this.#ofLedger(method, args, answer)
    if (target === 'store') return ofStore(method, args)
    if (target === 'embedder' && method === 'embed') return `pays for ${JSON.stringify(args[0])}`
    if (target !== 'provider') return undefined
    const named = ['create', 'cancel', 'deleteFile', 'results'].includes(method)
    if (named)
      return `provider ${method} ${args
        .filter(arg => !(arg instanceof AbortSignal))
        .map(shown)
        .join(' ')}`
    return method === 'upload' ? `uploads ${shown(answer)} for ${shown(args[0])}` : undefined
  }

  #ofLedger(method: string, args: readonly unknown[], answer: unknown): string | undefined {
    switch (method) {
      case 'admit': {
        const [{ manifest, obligation, slices }] = args as Args<Ledger, 'admit'>
        const reply = answer as Reply<Ledger, 'admit'>
        const into = manifest === undefined ? obligation : `${obligation} or ${manifest}`
        if (reply.kind !== 'admitted') return `may not admit: ${reply.kind}`
        const verdicts = slices.flatMap(({ candidates, partition }, s) =>
          candidates.map(({ docKey: key, offset, version }, c) => {
            const verdict = reply.verdicts[s]?.[c]
            const what = verdict?.kind === 'part' ? `${verdict.action} g${verdict.generation}` : verdict?.kind
            return `${partition}:${offset} ${this.nameOf(key)} v${version} ${what}`
          })
        )
        return `admits into ${into}: ${verdicts.join(', ')}`
      }
      case 'settle': {
        const [obligation, , outcomes] = args as Args<Ledger, 'settle'>
        const { answers } = answer as Reply<Ledger, 'settle'>
        const said = outcomes.map(
          ({ part, settlement }, index) => `${this.#part(part)} ${settlement} ${answers[index]?.kind}`
        )
        return said.length === 0 ? undefined : `settles of ${obligation}: ${said.join(', ')}`
      }
      case 'move': {
        const [from, , parts, to] = args as Args<Ledger, 'move'>
        const { kind } = answer as Reply<Ledger, 'move'>
        return `moves ${parts.map(part => this.#part(part)).join(', ')} from ${from} to ${to.kind} ${to.id}: ${kind}`
      }
      case 'takeover': {
        const reply = answer as Reply<Ledger, 'takeover'>
        return `takes ${String(args[0])} over: ${reply.kind === 'taken' ? 'taken' : reply.reason}`
      }
      case 'advance': {
        const [manifest, , from, to] = args as Args<Ledger, 'advance'>
        return from === to ? undefined : `takes ${manifest} from ${from} to ${to}: ${shown(answer)}`
      }
      case 'attempt':
        return `journals attempt ${shown(args[2])} of ${shown(args[0])} with ${shown(args[3])} inputs: ${shown(answer)}`
      case 'register':
        return `is ${(answer as Reply<Ledger, 'register'>).owner}`
      case 'open':
      case 'distrust':
      case 'switchLanes':
      case 'drain':
      case 'abortSwitch':
      case 'adoptJob':
      case 'endRebuild':
      case 'correct':
        return `${method} ${args.map(shown).join(' ')}`
      default:
        return undefined
    }
  }

  #part({ action, docKey: key, generation, offset, partition }: Part): string {
    return `${partition}:${offset} ${this.nameOf(key)} g${generation} (${action})`
  }
}

function ofStore(method: string, args: readonly unknown[]): string | undefined {
  if (method === 'write') {
    const [objects] = args as Args<VectorStore, 'write'>
    return `writes ${objects.map(({ properties: { docId, generation, text } }) => `${docId} g${generation} "${text}"`).join(', ')}`
  }
  if (method === 'removeGenerations') {
    const [removals] = args as Args<VectorStore, 'removeGenerations'>
    return `removes ${removals.map(({ docId, keep, maxGeneration }) => `${docId} up to g${maxGeneration}${keep ? ' but its own' : ''}`).join(', ')}`
  }
  return method === 'remove' ? `removes ${shown(args[0])}` : undefined
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return String(each)
    return each instanceof Map ? Object.fromEntries(each) : each
  })
}
