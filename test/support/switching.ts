// A switcher, or several, on everything in memory. A controller that is killed at a failpoint throws there, and is then
// never asked again.
import type { Lane } from '@pointsman/core/domain/lane'
import type { OwnerId } from '@pointsman/core/domain/identity'
import type { Failpoint } from '@pointsman/core/runtime/failpoint'
import { namesOf } from '@pointsman/core/runtime/names'
import { Switcher } from '../../services/controller/src/switching/switcher.ts'
import { type SwitchReport, switchWish } from '../../services/controller/src/switching/switch-report.ts'
import type { z } from 'zod'
import { MemoryWorld } from './memory-world.ts'

export const never = new AbortController().signal
export const killed = new Error('killed')

type Wish = Partial<z.input<typeof switchWish>>

/** Both groups have a member with all partitions, and both lanes an instance that lives. */
export class SwitchingWorld {
  readonly world = new MemoryWorld()
  readonly names = namesOf('test')
  readonly ended: SwitchReport[] = []
  readonly warned: string[] = []
  readonly owners = new Map<Lane, OwnerId>()

  /** @param lane - of all partitions at the beginning. */
  static async open(lane: Lane = 'realtime', partitions = 2): Promise<SwitchingWorld> {
    const made = new SwitchingWorld()
    const { ledger, log } = made.world
    log.addPartitions(partitions - log.partitions)
    await ledger.open(lane)
    for (let partition = 0; partition < partitions; partition += 1) await ledger.openPartition(partition, 0n)
    for (const each of ['realtime', 'batch'] as const) {
      const service = `embedder-${each}`
      const { owner } = await ledger.register({ instance: `${service}-1`, service, leaseMs: 3_600_000 })
      made.owners.set(each, owner)
      log
        .group(made.names.groups[each])
        .join({ instance: service, assign: () => undefined, suspend: () => undefined })
    }
    return made
  }

  /**
   * @param dieAt - the failpoint at which it is killed.
   * @param point - awaited before and after each of its calls to the log and the ledger.
   */
  controller(
    self = 'controller',
    { dieAt, point }: { readonly dieAt?: Failpoint; readonly point?: (call: string) => Promise<void> } = {}
  ): Switcher {
    const { admin, clock, control, ledger } = this.world
    const among = <Port extends object>(port: Port): Port => (point ? interleaved(port, point) : port)
    return new Switcher({
      parts: { admin, clock, control: among(control), ledger: among(ledger), names: this.names },
      hit: name => {
        if (name === dieAt) throw killed
      },
      self,
      warn: message => this.warned.push(message),
      onEnd: report => this.ended.push(report)
    })
  }

  async lanes(): Promise<readonly Lane[]> {
    const { partitions } = await this.world.ledger.state()
    return [...partitions.values()].map(({ lane }) => lane)
  }

  async records(): Promise<readonly string[]> {
    const stored = await this.world.control.read(0n, never)
    return stored.map(({ record }) =>
      record?.kind === 'outcome' ? record.result : (record?.kind ?? 'unreadable')
    )
  }
}

export function wishFor(target: Lane, more: Wish = {}): z.output<typeof switchWish> {
  return switchWish.parse({ target, ...more })
}

function interleaved<Port extends object>(port: Port, point: (call: string) => Promise<void>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        await point(String(name))
        const outcome = await Promise.resolve(Reflect.apply(member, target, args)).then(
          (value: unknown) => ({ value }),
          (error: unknown) => ({ error })
        )
        await point(String(name))
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }
    }
  })
}
