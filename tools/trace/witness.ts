// What must hold whatever the specification says: looked for in the calls and answers themselves, since a mistake in the
// specification would not show in a comparison with it.
//
//   I1 OneAdmission  admissions of a partition continue each other; a repetition lies wholly before A
//   I2 Covered       what is settled was admitted, and not settled before
//   I3 CommitSafe    W never exceeds an unsettled offset; W and epochs never fall
//   I8 Fence         admitted with the epoch and in the lane that are current, not while draining or paused
//   I9 ReleaseSafe   nothing is moved out of a manifest while a job of it may run
import type {
  Admission,
  AdmitReply,
  LedgerState,
  ManifestState,
  PartPlace
} from '@pointsman/core/ports/ledger'
import type { RebuiltLanes } from '@pointsman/core/ports/ledger-rebuild'
import type { TracedStep } from './traced-step.ts'

type Of<Method extends TracedStep['method']> = Extract<TracedStep, { method: Method }>

interface Partition {
  lane: string
  frontier: bigint
  watermark: bigint
  readonly unsettled: Set<bigint>
}

export class Witness {
  #ledgerId = ''
  #epoch = 0
  #draining = 0
  #isPaused = false
  #partitions = new Map<number, Partition>()
  /** Places that a rebuild may have made parts of, ahead of A. */
  #adopted = new Set<string>()
  #holders = new Map<string, string>()
  #manifests = new Map<string, ManifestState>()

  /** @returns what is violated. */
  see(step: TracedStep): string | undefined {
    switch (step.method) {
      case 'open':
        return this.#open(step.answer)
      case 'openPartition':
        return this.#openPartition(step)
      case 'admit':
        return step.answer.kind === 'admitted' ? this.#admit(step.args[0], step.answer) : undefined
      case 'settle':
        return this.#settle(step)
      case 'move':
        return this.#move(step)
      case 'advance':
        return this.#advance(step)
      case 'takeover':
        return this.#takeover(step)
      case 'watermarks':
        return this.#watermarks(step.answer)
      case 'pause':
        this.#isPaused ||= step.answer
        return
      case 'resume':
        this.#isPaused &&= !step.answer
        return
      case 'drain':
        if (step.answer.kind === 'draining') this.#draining = step.args[0].epoch
        return
      case 'abortSwitch':
        if (step.answer === 'aborted' && this.#draining <= step.args[0]) this.#draining = 0
        return
      case 'switchLanes':
        return this.#switch(step)
      case 'adoptJob':
        return this.#adopt(step)
      case 'endRebuild':
        return step.answer ? this.#endRebuild(step.args[0]) : undefined
      case 'attempt':
      case 'correct':
      case 'distrust':
      case 'expect':
      case 'noteMember':
      case 'noteRebuild':
      case 'order':
      case 'promiseVectors':
      case 'register':
      case 'release':
      case 'renew':
      case 'restore':
        return
    }
  }

  #open({ draining, epoch, ledgerId, partitions, pause }: LedgerState): undefined {
    if (ledgerId === this.#ledgerId) return
    this.#ledgerId = ledgerId
    this.#partitions = new Map(
      [...partitions].map(([p, { frontier, lane }]) => [p, newPartition(lane, frontier)])
    )
    this.#adopted = new Set()
    this.#holders = new Map()
    this.#manifests = new Map()
    this.#draining = draining?.epoch ?? 0
    this.#isPaused = pause !== undefined
    this.#epoch = epoch
    return
  }

  #openPartition({ answer, args: [p] }: Of<'openPartition'>): string | undefined {
    const known = this.#partitions.get(p)
    if (known === undefined) this.#partitions.set(p, newPartition(answer.lane, answer.frontier))
    else if (known.frontier !== answer.frontier) return `I1: A of partition ${p} was ${known.frontier}`
    return
  }

  #admit(admission: Admission, answer: Extract<AdmitReply, { kind: 'admitted' }>): string | undefined {
    const { epoch, lane, manifest, obligation, slices } = admission
    const isRepeated = slices.some(
      ({ from, partition, to }) => from < to && to <= (this.#partitions.get(partition)?.frontier ?? 0n)
    )
    if (isRepeated) return
    if (epoch !== this.#epoch) return `I8: admitted with epoch ${epoch} in epoch ${this.#epoch}`
    if (this.#draining > 0 || this.#isPaused) return 'I8: admitted while draining or paused'
    for (const [index, { candidates, from, partition, to }] of slices.entries()) {
      const known = this.#partitions.get(partition)
      if (known?.lane !== lane) return `I8: partition ${partition} is not in the lane ${lane}`
      if (known.frontier !== from)
        return `I1: admitted from ${from} of partition ${partition}, A is ${known.frontier}`
      known.frontier = to
      for (const [at, { offset }] of candidates.entries()) {
        const verdict = answer.verdicts[index]?.[at]
        if (verdict?.kind !== 'part') {
          // Whose it is then, nobody says.
          if (verdict?.kind === 'elsewhere') known.unsettled.add(offset)
          continue
        }
        known.unsettled.add(offset)
        const isPaid = verdict.action === 'embed'
        this.#holders.set(placeOf({ partition, offset }), isPaid ? (manifest ?? obligation) : obligation)
      }
    }
    if (manifest !== undefined && !this.#manifests.has(manifest)) this.#manifests.set(manifest, 'open')
    return
  }

  #settle({ answer, args: [obligation, , outcomes] }: Of<'settle'>): string | undefined {
    for (const [index, { part }] of outcomes.entries()) {
      if (answer.answers[index]?.kind !== 'settled') continue
      const place = placeOf(part)
      const wasOpen = this.#partitions.get(part.partition)?.unsettled.delete(part.offset) ?? false
      const wasAdopted = this.#adopted.delete(place)
      this.#holders.delete(place)
      if (!wasOpen && !wasAdopted) return `I2: ${place} was settled before, or never admitted`
    }
    for (const part of answer.more) this.#holders.set(placeOf(part), obligation)
    return
  }

  #move({ answer, args: [from, , , to] }: Of<'move'>): string | undefined {
    if (answer.kind !== 'moved') return
    const state = this.#manifests.get(from)
    const mayRun = state === 'submitting' || state === 'submitted'
    for (const part of answer.parts) {
      const place = placeOf(part)
      if (mayRun && this.#holders.get(place) === from) return `I9: ${place} left ${from}, which is ${state}`
      this.#holders.set(place, to.id)
    }
    if (to.kind === 'manifest' && !this.#manifests.has(to.id)) this.#manifests.set(to.id, 'open')
    return
  }

  #advance({ answer, args: [manifest, , , to] }: Of<'advance'>): undefined {
    if (answer !== 'advanced') return
    if (to === 'archived') this.#manifests.delete(manifest)
    else this.#manifests.set(manifest, to)
  }

  #takeover({ answer, args: [id] }: Of<'takeover'>): undefined {
    if (answer.kind !== 'taken') return
    // A switch makes orphans of manifests without naming them.
    if (answer.obligation.kind !== 'manifest') this.#manifests.delete(id)
    for (const part of answer.parts) this.#holders.set(placeOf(part), id)
  }

  #watermarks(watermarks: ReadonlyMap<number, bigint>): string | undefined {
    for (const [p, watermark] of watermarks) {
      const known = this.#partitions.get(p)
      if (known === undefined) return `I3: W of partition ${p}, which was not opened`
      for (const offset of known.unsettled) {
        if (offset < watermark) return `I3: W of partition ${p} is ${watermark}, and ${offset} is not settled`
      }
      if (watermark > known.frontier)
        return `I3: W of partition ${p} is ${watermark}, beyond A ${known.frontier}`
      if (watermark < known.watermark)
        return `I3: W of partition ${p} fell from ${known.watermark} to ${watermark}`
      known.watermark = watermark
    }
    return
  }

  #switch({ answer, args: [{ epoch, lanes }] }: Of<'switchLanes'>): string | undefined {
    if (answer.kind !== 'switched' || epoch === this.#epoch) return
    if (epoch < this.#epoch) return `I3: epoch ${epoch} after ${this.#epoch}`
    this.#epoch = epoch
    this.#draining = 0
    for (const [p, lane] of lanes) {
      const known = this.#partitions.get(p)
      if (known !== undefined) known.lane = lane
    }
    return
  }

  #adopt({ answer, args: [manifest, , documents] }: Of<'adoptJob'>): undefined {
    if (!answer) return
    this.#manifests.set(manifest, 'submitted')
    for (const document of documents) {
      this.#adopted.add(placeOf(document))
      this.#holders.set(placeOf(document), manifest)
    }
  }

  #endRebuild({ epoch, partitions }: RebuiltLanes): string | undefined {
    if (epoch <= this.#epoch) return `I3: epoch ${epoch} after ${this.#epoch}`
    this.#epoch = epoch
    for (const [p, { frontier, lane }] of partitions) this.#partitions.set(p, newPartition(lane, frontier))
    return
  }
}

function newPartition(lane: string, frontier: bigint): Partition {
  return { lane, frontier, watermark: 0n, unsettled: new Set() }
}

function placeOf({ offset, partition }: PartPlace): string {
  return `${partition}:${offset}`
}
