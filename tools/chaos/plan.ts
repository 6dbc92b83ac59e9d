// What is done to the world and when, drawn from a seed: storms of one to three faults, with quiet between them. Kinds come
// from a bag that is filled anew when it is empty, so that none is forgotten for long.

import {
  batchEmbedders,
  type ClientName,
  clients,
  controllers,
  embedders,
  type ServiceName
} from './clients.ts'
import type { ServerName } from './links.ts'

export type Fault =
  | { readonly kind: 'kill-embedder' | 'kill-controller'; readonly target: ServiceName }
  | { readonly kind: 'kill-producer' }
  | { readonly kind: 'freeze'; readonly target: ServiceName; readonly durationMs: number }
  | {
      readonly kind: 'reset'
      readonly client: ClientName
      readonly server: ServerName
      readonly durationMs: number
    }
  | {
      readonly kind: 'link-down' | 'latency' | 'bandwidth'
      readonly client: ClientName
      readonly server: ServerName
      readonly durationMs: number
    }
  | {
      readonly kind: 'rate-limits' | 'server-errors' | 'lost-answers' | 'failing-lines'
      readonly durationMs: number
      /** Of the calls, or of the lines. */
      readonly share: number
    }
  | { readonly kind: 'broker-restart' | 'weaviate-restart' | 'weaviate-kill' | 'flush-ledger' }
  | { readonly kind: 'redis-kill'; readonly downMs: number }
  /** Its data is that of so long ago when it comes back. */
  | { readonly kind: 'redis-rollback'; readonly byMs: number }
  | { readonly kind: 'disk-full'; readonly target: ServiceName; readonly durationMs: number }
  | { readonly kind: 'clock-jump'; readonly seconds: number }

export type FaultKind = Fault['kind']

export interface PlannedFault {
  readonly atMs: number
  readonly fault: Fault
}

/** How many of each are in a bag. */
const bagOf = {
  'kill-embedder': 4,
  'kill-controller': 2,
  'kill-producer': 1,
  freeze: 3,
  reset: 3,
  'link-down': 3,
  latency: 2,
  bandwidth: 1,
  'rate-limits': 1,
  'server-errors': 1,
  'lost-answers': 2,
  'failing-lines': 2,
  'broker-restart': 1,
  'weaviate-restart': 1,
  'weaviate-kill': 1,
  'flush-ledger': 1,
  'redis-kill': 1,
  'redis-rollback': 1,
  'disk-full': 1,
  'clock-jump': 2
} as const satisfies Readonly<Record<FaultKind, number>>

/** Servers that a client has anything to do with. */
function serversOf(client: ClientName): readonly ServerName[] {
  return client === 'producer'
    ? ['kafka', 'registry']
    : ['kafka', 'redis', 'weaviate', 'weaviate-grpc', 'openai', 'registry']
}

const firstMs = 2_000
/** After the last storm something is still to happen. */
const lastQuietMs = 5_000
const spreadMs = 2_500

/** @param without - kinds that are left out. */
export function planFaults(
  lastsMs: number,
  random: () => number,
  without: ReadonlySet<string> = new Set()
): readonly PlannedFault[] {
  const planned: PlannedFault[] = []
  let bag: FaultKind[] = []
  const next = (): FaultKind => {
    if (bag.length === 0) bag = shuffled(fullBag(without), random)
    return bag.pop() ?? 'kill-embedder'
  }
  for (let atMs = firstMs; atMs < lastsMs - lastQuietMs; atMs += 4_000 + random() * 4_000) {
    const faults = 1 + Math.floor(random() * 3)
    for (let nth = 0; nth < faults; nth += 1)
      planned.push({ atMs: atMs + (nth === 0 ? 0 : random() * spreadMs), fault: drawFault(next(), random) })
  }
  return planned.toSorted((a, b) => a.atMs - b.atMs)
}

function fullBag(without: ReadonlySet<string>): FaultKind[] {
  const bag: FaultKind[] = []
  let kind: FaultKind
  for (kind in bagOf) if (!without.has(kind)) bag.push(...Array<FaultKind>(bagOf[kind]).fill(kind))
  return bag
}

export function isFaultKind(kind: string): boolean {
  return Object.hasOwn(bagOf, kind)
}

function drawFault(kind: FaultKind, random: () => number): Fault {
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item =>
    items[Math.floor(random() * items.length)] ?? items[0]
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low))
  /** Short ones are many, long ones few. */
  const skewed = (low: number, high: number): number => Math.round(low * (high / low) ** random())
  switch (kind) {
    case 'kill-embedder':
      return { kind, target: pick(embedders) }
    case 'kill-controller':
      return { kind, target: pick(controllers) }
    case 'kill-producer':
    case 'broker-restart':
    case 'weaviate-restart':
    case 'weaviate-kill':
    case 'flush-ledger':
      return { kind }
    case 'freeze':
      return { kind, target: pick([...embedders, ...controllers]), durationMs: skewed(1_000, 30_000) }
    case 'reset':
    case 'link-down':
    case 'latency':
    case 'bandwidth': {
      const client = pick(clients)
      const [first = 'kafka', ...rest] = serversOf(client)
      const server = pick([first, ...rest])
      return { kind, client, server, durationMs: kind === 'reset' ? 300 : skewed(1_000, 15_000) }
    }
    case 'rate-limits':
    case 'server-errors':
    case 'lost-answers':
    case 'failing-lines':
      return { kind, durationMs: between(3_000, 8_000), share: between(20, 80) / 100 }
    case 'redis-kill':
      return { kind, downMs: between(0, 6_000) }
    case 'redis-rollback':
      return { kind, byMs: between(500, 5_000) }
    case 'disk-full':
      return { kind, target: pick(batchEmbedders), durationMs: between(2_000, 8_000) }
    case 'clock-jump':
      return { kind, seconds: skewed(600, 7_200) }
  }
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map(item => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
