// The services of the product, on the ports of a machine. What an operator would set is set so that everything happens
// within seconds.
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { LanePorts } from '@pointsman/core/lane/lane-ports'
import type { Lane } from '@pointsman/core/domain/lane'
import type { GroupReader } from '@pointsman/core/ports/event-log'
import { openLedger } from '../../services/controller/src/rebuild/open-ledger.ts'
import { LedgerKeeper } from '../../services/controller/src/rebuild/ledger-keeper.ts'
import { Sweeper } from '../../services/controller/src/sweeper/sweeper.ts'
import { Switcher } from '../../services/controller/src/switching/switcher.ts'
import type { BatchOptions } from '../../services/embedder-batch/src/batch-deps.ts'
import { BatchLane } from '../../services/embedder-batch/src/batch-lane.ts'
import { RealtimeLane } from '../../services/embedder-realtime/src/realtime-lane.ts'
import type { Service, ServicePorts } from './machine.ts'
import type { Process } from './plan.ts'
import type { Seat } from './seat.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const batchOptions: BatchOptions = {
  minLines: 2,
  maxLines: 8,
  maxBytes: 1_000_000,
  maxEnqueuedTokens: 300,
  maxJobs: 3,
  sealAfterMs: 600,
  minPollMs: 100,
  maxPollMs: 600,
  deadlineMs: 20_000,
  doubtGraceMs: 2_500,
  retryDelayMs: 100,
  maxFailures: 4
}

const leaseMs = 2_000

export function serviceOf(
  process: Process,
  world: World,
  wire: Wire,
  onSwitcher: (switcher: Switcher, signal: AbortSignal) => void
): Service {
  switch (process.kind) {
    case 'realtime':
      return async (ports, seat, signal) => {
        const lane = new RealtimeLane(
          { ...lanePorts(ports, () => readerOf(process, seat, world, wire)), embedder: ports.embedder },
          {
            ...laneOptions(process, world),
            requestInputs: 6,
            requestTokens: 200,
            maxInFlight: 3,
            maxAttempts: 4,
            doubtDelayMs: 200
          }
        )
        await lane.run(signal)
      }
    case 'batch':
      return async (ports, seat, signal) => {
        const lane = new BatchLane(
          { ...lanePorts(ports, () => readerOf(process, seat, world, wire)), provider: ports.provider },
          laneOptions(process, world),
          batchOptions
        )
        await lane.run(signal)
      }
    case 'controller':
      return async (ports, _seat, signal) => {
        const parts = { ...ports, letters: ports.deadLetters, names: world.names, spec: world.spec }
        const switcher = new Switcher({
          parts,
          hit: ports.hit,
          self: process.name,
          warn: ports.warn,
          onEnd: report => ports.warn(`switch ${report.switchId} to ${report.target} is ${report.state}`)
        })
        onSwitcher(switcher, signal)
        const keeper = new LedgerKeeper({
          parts,
          hit: ports.hit,
          listGraceMs: batchOptions.doubtGraceMs,
          initialMode: world.plan.initialLane,
          warn: ports.warn,
          info: ports.warn
        })
        const sweeper = new Sweeper(
          {
            ...parts,
            trouble: () => '',
            onPage: ({ corrected, deleted, outlived }) => {
              if (outlived + deleted > 0) world.story.note('the sweeper removed an object')
              if (corrected > 0) world.story.note('the sweeper corrected the ledger')
            }
          },
          { pauseMs: 700, pageObjects: 50, restMs: 700 }
        )
        await Promise.all([
          untilOpened(() => openLedger(parts, world.plan.initialLane, signal), parts, signal),
          switcher.run(signal),
          keeper.run(signal),
          sweeper.run(signal)
        ])
      }
  }
}

/** As the controller prepares each part that it watches. */
async function untilOpened(
  open: () => Promise<unknown>,
  { clock }: Pick<ServicePorts, 'clock'>,
  signal: AbortSignal
): Promise<void> {
  for (;;) {
    try {
      await open()
      return
    } catch {
      await clock.sleep(500, signal)
    }
  }
}

function lanePorts(ports: ServicePorts, openReader: () => GroupReader): LanePorts {
  const { admin, clock, codec, deadLetters, hit, ledger, ranges, store, warn } = ports
  return { admin, clock, codec, deadLetters, hit, ledger, openReader, ranges, store, warn }
}

function laneOptions({ name }: Process, { names, plan }: World): LaneOptions {
  return {
    instance: name,
    names,
    partitions: plan.partitions,
    initialMode: plan.initialLane,
    lingerMs: 20,
    leaseMs,
    graceMs: 1_500
  }
}

function readerOf({ kind }: Process, seat: Seat, { names }: World, wire: Wire): GroupReader {
  const lane: Lane = kind === 'batch' ? 'batch' : 'realtime'
  const local = ['start', 'assignment', 'readFrom', 'hold', 'lift', 'holds', 'silentMs'] as const
  return seat.open(names.groups[lane], reader => wire.port(seat.life, 'log', reader, local))
}
