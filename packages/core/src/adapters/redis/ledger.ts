// The ledger in Redis: one Lua script per transition (./lua), so each is atomic. docs/protocol.md tells the protocol,
// adapters/memory specifies it, and the scripts' headers give keys and layouts.
//
// Every script may be repeated: a reply that was lost with its connection is asked for again by resending the command.
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Digest, ObligationId, OwnerId } from '../../domain/identity.ts'
import type { Lane } from '../../domain/lane.ts'
import type { Job, JobOrder } from '../../ports/job.ts'
import type {
  Admission,
  AdmitReply,
  Correction,
  LaneSwitch,
  Latest,
  Ledger,
  LedgerState,
  ManifestState,
  MoveFields,
  ObligationKind,
  Part,
  PartPlace,
  PartitionState,
  PastJob,
  Registration,
  SettleOutcome,
  SettleReply,
  Survey,
  SwitchEpochs
} from '../../ports/ledger.ts'
import {
  checkAdmission,
  checkAdvance,
  checkMove,
  checkOutcomes,
  checkPage,
  checkSwitch
} from '../../runtime/check-ledger-call.ts'
import { readPastJob } from './job-codec.ts'
import { admitArguments, readAdmitReply } from './admission-codec.ts'
import { durableArgument, LedgerCalls } from './ledger-calls.ts'
import { RedisLedgerRebuild } from './ledger-rebuild.ts'
import { packOutcomes, packPlaces, packRivals, readSettleReply, readSortedParts } from './part-codec.ts'
import { packCorrections } from './rebuild-codec.ts'
import { packDigests } from './records.ts'
import { asList, asNumber, asRows, asText, oneOf } from './reply.ts'
import type { Script } from './script.ts'
import { loadScript } from './script.ts'
import { inspectServerLife } from './server-life.ts'
import { readDrainReply, readOffsets, readPartitionState, readState, readSwitchReply } from './state-codec.ts'
import { readAdoptable, readFlags, readLatest, readObligation, readSurvey } from './survey-codec.ts'
import { watchChannel } from './watch-channel.ts'

const head = ['server-run', 'ledger']
const read = [...head, 'whole']
const step = [...read, 'counted']
const base = [...step, 'digests', 'latest', 'obligations', 'parts']
const openScript = loadScript('server-run', 'begin', 'open', 'ledger', 'note-durable', 'state')
const stateScript = loadScript(...head, 'state')
const openPartitionScript = loadScript(...step, 'open-partition')
const registerScript = loadScript(...step, 'register')
const renewScript = loadScript(...step, 'renew')
const noteMemberScript = loadScript(...step, 'note-member')
const releaseScript = loadScript(...step, 'release')
const admitScript = loadScript(...base, 'promised', 'admit')
const attemptScript = loadScript(...step, 'obligations', 'attempt')
const settleScript = loadScript(...base, 'settle')
const moveScript = loadScript(...base, 'move')
const advanceScript = loadScript(...step, 'obligations', 'promised', 'advance')
const orderScript = loadScript(...step, 'obligations', 'order')
const pastJobsScript = loadScript(...read, 'past-jobs')
const adoptableScript = loadScript(...read, 'obligations', 'adoptable')
const takeoverScript = loadScript(...base, 'takeover')
const watermarksScript = loadScript(...read, 'parts', 'watermarks')
const supersededScript = loadScript(...read, 'digests', 'latest', 'superseded')
const pauseScript = loadScript(...step, 'pause')
const resumeScript = loadScript(...step, 'resume')
const drainScript = loadScript(...step, 'obligations', 'promised', 'switching', 'drain')
const abortScript = loadScript(...step, 'abort')
const switchScript = loadScript(...step, 'obligations', 'promised', 'switching', 'switch')
const surveyScript = loadScript(...head, 'obligations', 'parts', 'survey')
const correctScript = loadScript(...step, 'digests', 'latest', 'correct')
const latestScript = loadScript(...head, 'digests', 'latest', 'read-latest')
const processedScript = loadScript(...head, 'digests', 'read-processed')
const partsScript = loadScript(...read, 'obligations', 'parts', 'read-parts')

/** As many as a script reads without keeping others waiting. */
const pageParts = 512

export interface RedisLedgerOptions {
  /**
   * Buckets of the ledger that `open` makes, as a power of two, 4 to 24; one that exists keeps its own. The default
   * holds about three million documents in the compact form; more cost memory only.
   */
  readonly bucketBits?: number
  /** Told by `open` when the server may lose or evict what it was given. */
  readonly warn?: (text: string) => void
  /** Test only: what is run in the place of a script, see trace.ts. */
  readonly through?: (script: Script) => Script
}

export class RedisLedger extends RedisLedgerRebuild implements Ledger {
  readonly #calls: LedgerCalls
  readonly #bucketBits: number
  readonly #warn: (text: string) => void

  /** @param redis - as `openRedis` makes it. The caller closes it. */
  constructor(redis: Redis, namespace: string, options: RedisLedgerOptions = {}) {
    const calls = new LedgerCalls(redis, namespace, options.through ?? (script => script))
    super(calls)
    this.#calls = calls
    this.#bucketBits = options.bucketBits ?? 13
    this.#warn = options.warn ?? (() => undefined)
  }

  async open(defaultLane: Lane, absent?: 'lost'): Promise<LedgerState> {
    const { flaws, isDurable, runId } = await inspectServerLife(this.#calls.redis)
    const because = absent === 'lost' ? 'there was a ledger, and it is gone' : ''
    const told = [randomUUID(), defaultLane, this.#bucketBits, durableArgument(isDurable), because]
    const state = readState(await this.#calls.open(openScript, answer => readState(answer).ledgerId, ...told))
    for (const flaw of flaws) this.#warn(`redis: ${flaw}`)
    if (runId === undefined) this.#warn('redis: INFO is refused; what a restart loses is noticed late')
    else if (isDurable === undefined)
      this.#warn('redis: CONFIG GET is refused; after every restart of Redis the ledger is rebuilt')
    return state
  }

  async state(): Promise<LedgerState> {
    return readState(await this.#calls.run(stateScript))
  }

  async openPartition(partition: number, logStart: bigint): Promise<PartitionState> {
    return readPartitionState(await this.#calls.run(openPartitionScript, partition, logStart.toString()))
  }

  async register({ instance, service, leaseMs }: Registration): ReturnType<Ledger['register']> {
    const [owner, ...ghosts] = asList(await this.#calls.run(registerScript, instance, service, leaseMs))
    return {
      owner: asText(owner) as OwnerId,
      ghosts: new Map(asRows(ghosts, 2).map(([group, member]) => [asText(group), asText(member)]))
    }
  }

  async renew(owner: OwnerId, leaseMs: number, trouble: string): Promise<boolean> {
    return asNumber(await this.#calls.run(renewScript, owner, leaseMs, trouble)) === 1
  }

  async noteMember(owner: OwnerId, group: string, memberId: string): Promise<void> {
    await this.#calls.run(noteMemberScript, owner, group, memberId)
  }

  async release(owner: OwnerId): Promise<void> {
    await this.#calls.run(releaseScript, owner)
  }

  async admit(admission: Admission): Promise<AdmitReply> {
    checkAdmission(admission)
    return readAdmitReply(await this.#calls.run(admitScript, ...admitArguments(admission)), admission)
  }

  async attempt(
    obligation: ObligationId,
    owner: OwnerId,
    attempt: number,
    inputs: number
  ): Promise<'journalled' | 'gone'> {
    const answer = await this.#calls.run(attemptScript, obligation, owner, attempt, inputs)
    return oneOf(asText(answer), ['journalled', 'gone'])
  }

  async settle(
    obligation: ObligationId,
    owner: OwnerId,
    outcomes: readonly SettleOutcome[],
    paidTokens: number
  ): Promise<SettleReply> {
    checkOutcomes(outcomes)
    return readSettleReply(
      await this.#calls.run(settleScript, obligation, owner, paidTokens, packOutcomes(outcomes))
    )
  }

  async move(
    from: ObligationId,
    owner: OwnerId,
    parts: readonly Part[],
    to: Parameters<Ledger['move']>[3],
    fields: MoveFields
  ): ReturnType<Ledger['move']> {
    checkMove(fields)
    const { reason, delayMs, attempts, failures } = fields
    const step = async (named: readonly Part[], thorough: 0 | 1): Promise<readonly unknown[]> => {
      const told = [reason, delayMs, attempts, failures, thorough]
      return asList(
        await this.#calls.run(moveScript, from, owner, to.id, to.kind, ...told, packPlaces(named))
      )
    }
    let answer = await step(parts, 0)
    if (asText(answer[0]) === 'scattered') answer = await step(await this.#withSharers(from, parts), 1)
    const kind = oneOf(asText(answer[0]), ['moved', 'gone', 'held'])
    return kind === 'moved' ? { kind, parts: readSortedParts(answer[1]) } : { kind }
  }

  /** These parts and those that wait for one vector with them, looked for without keeping others waiting. */
  async #withSharers(obligation: ObligationId, parts: readonly Part[]): Promise<readonly Part[]> {
    const contents = new Set(parts.map(({ content }) => content))
    const sharers = (await this.parts(obligation)).filter(
      ({ content }) => content !== undefined && contents.has(content)
    )
    return [...parts, ...sharers]
  }

  async advance(
    manifest: ObligationId,
    owner: OwnerId,
    from: ManifestState,
    to: ManifestState | 'archived',
    fields: Partial<Job>
  ): ReturnType<Ledger['advance']> {
    checkAdvance(from, to)
    const answer = await this.#calls.run(
      advanceScript,
      manifest,
      owner,
      from,
      to,
      ...Object.entries(fields).flat()
    )
    return oneOf(asText(answer), ['advanced', 'refused', 'gone'])
  }

  async order(manifest: ObligationId, order: JobOrder): Promise<boolean> {
    return asNumber(await this.#calls.run(orderScript, manifest, order)) === 1
  }

  async pastJobs(limit: number): Promise<readonly PastJob[]> {
    return asList(await this.#calls.run(pastJobsScript, limit))
      .map(readPastJob)
      .slice(0, limit)
  }

  async adoptable(kinds: readonly ObligationKind[], limit: number): Promise<readonly ObligationId[]> {
    return readAdoptable(await this.#calls.run(adoptableScript, ...kinds), limit)
  }

  async takeover(
    obligation: ObligationId,
    { owner, epoch, lane }: Parameters<Ledger['takeover']>[1]
  ): ReturnType<Ledger['takeover']> {
    const [kind, answer, parts] = asList(
      await this.#calls.run(takeoverScript, obligation, owner, epoch, lane)
    )
    if (oneOf(asText(kind), ['taken', 'refused']) === 'refused') {
      const reasons = ['gone', 'alive', 'fenced', 'paused', 'draining'] as const
      return { kind: 'refused', reason: oneOf(asText(answer), reasons) }
    }
    const taken = readObligation(answer)
    const listed = readSortedParts(parts)
    const isListed = taken.kind === 'manifest' || taken.parts.size === 0 || listed.length > 0
    return { kind: 'taken', obligation: taken, parts: isListed ? listed : await this.parts(obligation) }
  }

  async watermarks(): Promise<ReadonlyMap<number, bigint>> {
    return readOffsets(await this.#calls.run(watermarksScript))
  }

  async superseded(parts: readonly Part[]): Promise<readonly boolean[]> {
    return readFlags(await this.#calls.run(supersededScript, packRivals(parts)))
  }

  async pause(expectedEpoch: number, reason: string, actor: string): Promise<boolean> {
    return asNumber(await this.#calls.run(pauseScript, expectedEpoch, reason, actor)) === 1
  }

  async resume(expectedEpoch: number): Promise<boolean> {
    return asNumber(await this.#calls.run(resumeScript, expectedEpoch)) === 1
  }

  async drain(change: SwitchEpochs): ReturnType<Ledger['drain']> {
    checkSwitch(change)
    return readDrainReply(await this.#calls.run(drainScript, change.expectedEpoch, change.epoch))
  }

  async abortSwitch(epoch: number): ReturnType<Ledger['abortSwitch']> {
    return oneOf(asText(await this.#calls.run(abortScript, epoch)), ['aborted', 'passed'])
  }

  async switchLanes(change: LaneSwitch): ReturnType<Ledger['switchLanes']> {
    checkSwitch(change)
    const { expectedEpoch, epoch, defaultLane, release, lanes } = change
    const told = [expectedEpoch, epoch, defaultLane, release, ...[...lanes].flat()]
    return readSwitchReply(await this.#calls.run(switchScript, ...told))
  }

  async survey(): Promise<Survey> {
    return readSurvey(await this.#calls.run(surveyScript))
  }

  async correct(corrections: readonly Correction[]): Promise<readonly boolean[]> {
    return readFlags(await this.#calls.run(correctScript, packCorrections(corrections)))
  }

  async latest(docKeys: readonly Digest[]): Promise<readonly (Latest | undefined)[]> {
    return readLatest(await this.#calls.run(latestScript, packDigests(docKeys)))
  }

  async processed(contents: readonly Digest[]): Promise<readonly boolean[]> {
    return readFlags(await this.#calls.run(processedScript, packDigests(contents)))
  }

  async parts(obligation: ObligationId, page?: Parameters<Ledger['parts']>[1]): Promise<readonly Part[]> {
    checkPage(page)
    if (page !== undefined) return this.#page(obligation, page.after, page.limit)
    const parts: Part[] = []
    for (;;) {
      const next = await this.#page(obligation, parts.at(-1), pageParts)
      parts.push(...next)
      if (next.length < pageParts) return parts
    }
  }

  async #page(
    obligation: ObligationId,
    after: PartPlace | undefined,
    limit: number
  ): Promise<readonly Part[]> {
    const place = after === undefined ? [] : [after.partition, after.offset.toString()]
    // The script answers in whole segments.
    return readSortedParts(await this.#calls.run(partsScript, obligation, limit, ...place)).slice(0, limit)
  }

  async watch(onChange: () => void): Promise<AsyncDisposable> {
    return watchChannel(this.#calls.redis, `${this.#calls.prefix}changes`, onChange)
  }
}
