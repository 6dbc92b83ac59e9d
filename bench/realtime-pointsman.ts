// One measurement of the realtime lane. The clock starts when the ledger is resumed and ends when every watermark has
// reached the end of its log: everything stored and settled.
import { namesOf } from '@pointsman/core/runtime/names'
import { CpuMeter } from './cpu-meter.ts'
import { openLaneRun, type LaneRunOptions } from './lane-run.ts'
import type { LaneWorld } from './lane-world.ts'
import type { Measurement } from './measurement.ts'
import { requestInputs, requestsInFlight } from './realtime-task.ts'

export interface PointsmanOptions extends Pick<LaneRunOptions, 'documents' | 'namespace' | 'nodeOptions'> {
  /** Told the embedder's pid right before the start. */
  readonly onStart?: (pid: number) => void
  /** Told right after the end, while the embedder still runs. */
  readonly onEnd?: () => void
}

const env = { EMBED_REQUEST_INPUTS: String(requestInputs), EMBED_MAX_IN_FLIGHT: String(requestsInFlight) }

/** @throws when anything was paid for twice, or the index does not hold every document once. */
export async function measurePointsman(
  world: LaneWorld,
  { documents, namespace, nodeOptions, onEnd, onStart }: PointsmanOptions,
  signal: AbortSignal
): Promise<Measurement> {
  const meter = new CpuMeter(world)
  const before = await world.provider.bill()
  await using run = await openLaneRun(
    world,
    { lane: 'realtime', documents, namespace, nodeOptions, env },
    signal
  )
  meter.start(run.pid)
  onStart?.(run.pid)
  const began = performance.now()
  await run.resume()
  await run.until(() => run.isSettled(), signal)
  const ms = performance.now() - began
  meter.stop()
  onEnd?.()
  const paid = (await world.provider.bill()).realtime - before.realtime
  if (paid !== run.tokens) throw new Error(`${paid} tokens were paid, ${run.tokens} were necessary`)
  await world.checkAndDrop(namesOf(namespace).collection, documents, signal)
  return { documentsPerSecond: (documents * 1_000) / ms, cpuUs: meter.perDocument(documents) }
}
