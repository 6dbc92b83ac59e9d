import type { LaneWorld } from './lane-world.ts'
import { cpuMsOf } from './support/process-usage.ts'
import { rounded } from './support/spread.ts'

/** Processor time of the servers and of one more process, between `start` and `stop`. */
export class CpuMeter {
  readonly #world: LaneWorld
  #pid = 0
  #before: Readonly<Record<string, number>> = {}
  #after: Readonly<Record<string, number>> = {}

  constructor(world: LaneWorld) {
    this.#world = world
  }

  start(pid: number): void {
    this.#pid = pid
    this.#before = this.#read()
  }

  stop(): void {
    this.#after = this.#read()
  }

  perDocument(documents: number): Readonly<Record<string, number>> {
    const us = ([name, ms]: readonly [string, number]): readonly [string, number] => [
      name,
      rounded(((ms - (this.#before[name] ?? 0)) * 1_000) / documents, 0)
    ]
    return Object.fromEntries(Object.entries(this.#after).map(us))
  }

  #read(): Readonly<Record<string, number>> {
    return { itself: cpuMsOf(this.#pid) ?? 0, ...this.#world.cpuMs() }
  }
}
