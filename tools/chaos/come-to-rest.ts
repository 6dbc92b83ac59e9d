// After the storm: everything is healed, the services come to rest by themselves, and the checker looks.

import { setTimeout as sleep } from 'node:timers/promises'
import { audit, type Audit, lostDocuments } from './audit.ts'
import { untilSwept, verify } from './controller-calls.ts'
import type { Expectation } from './expectation.ts'
import type { LogEye } from './log-eye.ts'
import type { ProducerRuns } from './producer-runs.ts'
import { untilQuiet } from './quiet.ts'
import { dimensions, model, type World } from './world.ts'

export interface RestDeps {
  readonly world: World
  readonly log: LogEye
  readonly expectation: Expectation
  readonly producer: ProducerRuns
  readonly tell: (text: string) => void
  readonly weaviateKills: number
}

export interface Rest {
  readonly audited: Audit
  readonly convergedAfterMs: number
  /** Documents whose acknowledged objects Weaviate had lost, and which a repair brought back. */
  readonly mended: number
  /** What `pointsman verify` finds before any repair, by kind: not part of the judgement, since it is under test as well. */
  readonly verified: Readonly<Record<string, number>>
}

const quietMs = 180_000

export async function comeToRest(deps: RestDeps, signal: AbortSignal): Promise<Rest> {
  const { log, producer, tell, weaviateKills, world } = deps
  const healedMs = performance.now()
  await heal(world)
  await producer.finish(AbortSignal.any([signal, AbortSignal.timeout(quietMs)]))
  await untilQuiet(world.eye, log, quietMs, signal)
  const convergedAfterMs = performance.now() - healedMs
  tell(
    `quiet after ${(convergedAfterMs / 1000).toFixed(1)} s; what writers that were presumed dead left is swept`
  )
  await untilReady(world, signal)
  for (const url of world.controllerUrls.slice(0, 1)) await untilSwept(url, signal)
  const verified = await tellDifferences(deps, signal)
  const mended = weaviateKills === 0 ? 0 : await mend(deps, signal)
  tell('it is audited')
  return { audited: await auditOf(deps, signal), convergedAfterMs, mended, verified }
}

async function heal(world: World): Promise<void> {
  await world.links.healAll()
  await world.provider.calmAll()
  for (const service of world.processes.values()) service.thaw()
}

async function untilReady(world: World, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + quietMs
  while (!(await world.areReady())) {
    if (performance.now() > deadlineMs) throw new Error(`services are not ready after ${quietMs} ms`)
    await sleep(200, undefined, { signal })
  }
}

async function tellDifferences({ tell, world }: RestDeps, signal: AbortSignal): Promise<Rest['verified']> {
  const found: Record<string, number> = {}
  for (const url of world.controllerUrls.slice(0, 1)) {
    const { differences } = await verify(url, false, signal)
    for (const [kind, { count, examples }] of Object.entries(differences)) {
      if (count === 0) continue
      found[kind] = count
      for (const { detail, docId } of examples) tell(`verify: ${kind} ${docId}: ${detail}`)
    }
  }
  return found
}

/** Weaviate may have forgotten what it had acknowledged when it was killed: an operator repairs that. */
async function mend(deps: RestDeps, signal: AbortSignal): Promise<number> {
  const { expectation, log, tell, world } = deps
  const lost = await lostDocuments(expectation, indexOf(world), signal)
  for (const docId of lost) expectation.allowAgain(docId)
  for (const url of world.controllerUrls.slice(0, 1)) {
    const { repair } = await verify(url, true, signal)
    tell(`Weaviate had lost ${lost.length} documents; the repair: ${JSON.stringify(repair)}`)
  }
  await untilQuiet(world.eye, log, quietMs, signal)
  return lost.length
}

function indexOf({ names, stack }: World): { readonly weaviateUrl: string; readonly collection: string } {
  return { weaviateUrl: stack.env.WEAVIATE_URL, collection: names.collection }
}

async function auditOf({ expectation, log, world }: RestDeps, signal: AbortSignal): Promise<Audit> {
  const { provider } = world
  const deadLetters = await log.deadLetters(signal)
  return await audit(expectation, { ...indexOf(world), provider, model, dimensions, deadLetters }, signal)
}
