// The ledger: the one authority on who may admit, pay for and finish what. Every transition is atomic; a repeated
// call (a reply got lost, the client resent it) asks the same of its caller as the first did.
//
// Implementations: `adapters/redis` (one Lua script per transition) and `adapters/memory`, which is the executable
// specification. Both pass `test/contract/ledger.ts` and answer alike to any sequence of commands
// (`test/integration/ledger-model.test.ts`). The protocol is told in `docs/protocol.md`.
//
//   I1 OneAdmission  an offset is admitted once in the life of the ledger (`from` = frontier, compare-and-set)
//   I2 Covered       every offset in [W, A) is settled or in exactly one obligation
//   I8 Fence         nothing is admitted with an old epoch, in a foreign lane, while draining or paused
//   I9 ReleaseSafe   while a job may run, a part leaves its manifest by being settled alone
//
// Every method throws `Failure` `LEDGER_UNAVAILABLE` (outcome unknown: repeat the same call) when the store does
// not answer, and `LEDGER_FOREIGN` when it answers with data that is not this ledger's. While a ledger is rebuilt,
// every method but `open`, `state`, `latest`, `processed`, `survey`, `watch` and those of `LedgerRebuild` throws
// `LEDGER_REBUILDING`, changing nothing.

import type { Digest, ObligationId, OwnerId } from '../domain/identity.ts'
import type { Lane } from '../domain/lane.ts'
import type { Job, JobOrder } from './job.ts'
import type { LedgerRebuild, Rebuild } from './ledger-rebuild.ts'

/** What is to be done for a part: pay, copy a stored vector, share the payment of another part, delete. */
export type Action = 'embed' | 'copy' | 'share' | 'delete'

/** An admitted document that still needs work. */
export interface Part {
  readonly partition: number
  readonly offset: bigint
  readonly docKey: Digest
  /** Payment key; undefined for a delete. */
  readonly content: Digest | undefined
  /**
   * Orders what a document was: max(version, last generation + 1) when another content or other metadata are admitted.
   * With `content` it names the object, which is never written with anything else.
   */
  readonly generation: number
  readonly action: Action
  /** The document was admitted before, so objects of lower generations may stand in the index. */
  readonly replaces: boolean
  /** At most 2^24 - 1. */
  readonly tokens: number
  /** How many jobs it was a line of that came to nothing for it; at most 15. */
  readonly failures: number
}

export type PartPlace = Pick<Part, 'partition' | 'offset'>

/** A document that asks to be admitted. */
export interface Candidate {
  readonly offset: bigint
  readonly docKey: Digest
  readonly version: number
  /** Payment key; undefined for a tombstone. */
  readonly content: Digest | undefined
  /** 32 bits over everything but text and version. */
  readonly metadataHash: number
  readonly tokens: number
}

/** Candidates of [from, to) of one partition in ascending order of offset; holes are allowed. */
export interface Slice {
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
  readonly candidates: readonly Candidate[]
}

export interface Admission {
  readonly epoch: number
  readonly lane: Lane
  readonly owner: OwnerId
  /** Never used before. */
  readonly obligation: ObligationId
  /**
   * The caller's open manifest, or a new id for it: parts that have to be paid for go there, everything else into
   * `obligation`. The first such part makes it.
   */
  readonly manifest?: ObligationId
  /** At least one; each partition at most once; together at most 2048 candidates (100 to 256 are good). */
  readonly slices: readonly Slice[]
}

/**
 * What became of a candidate, compared with the newest admitted version L of its document:
 * - `superseded` L is newer: nothing to do.
 * - `unchanged`  L has this content and metadata and is indexed.
 * - `covered`    L has this content and metadata and is open: its part will do it.
 * - `elsewhere`  the part joined an obligation that already pays for this text: nothing to do here. The caller's
 *                manifest counts as such.
 * - `part`       the part is the caller's to finish; an `embed` goes into its manifest, if it named one. `share`:
 *                another part of the same obligation obtains the vector. `replaces`: as in `Part`.
 */
export type Verdict =
  | { readonly kind: 'superseded' | 'unchanged' | 'covered' | 'elsewhere' }
  | {
      readonly kind: 'part'
      readonly action: Action
      readonly generation: number
      readonly replaces: boolean
    }

/** Refusals change nothing. `behind` names A of every partition of the call whose `from` was not A. */
export type AdmitReply =
  | { readonly kind: 'admitted'; readonly verdicts: readonly (readonly Verdict[])[] }
  | { readonly kind: 'fenced'; readonly epoch: number }
  | { readonly kind: 'draining' }
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'behind'; readonly frontiers: ReadonlyMap<number, bigint> }
  /** The owner is not registered (any more): register anew. */
  | { readonly kind: 'unregistered' }
  /** The manifest is not open, or not the caller's: begin another. */
  | { readonly kind: 'closed' }

export type ObligationKind = 'request' | 'orphan' | 'manifest'

/**
 * How far a manifest is:
 * - `open`       takes parts.
 * - `sealed`     its payment keys are fixed; parts of the same keys may still join.
 * - `uploaded`   its input file is at the provider.
 * - `submitting` a create call is journalled: whether there is a job is not known.
 * - `submitted`  the job exists.
 * - `terminal`   the job has ended: its results are read, then it is archived.
 */
export type ManifestState = 'open' | 'sealed' | 'uploaded' | 'submitting' | 'submitted' | 'terminal'

/** Of a request or an orphan: `admitted`: nothing sent yet; `paying`: a paid attempt is journalled. */
export type ObligationState = 'admitted' | 'paying' | ManifestState

/** A manifest that is archived. */
export interface PastJob extends Job {
  readonly manifest: ObligationId
  /** Ledger times. */
  readonly sinceMs: number
  readonly archivedMs: number
}

export interface Obligation {
  readonly id: ObligationId
  readonly kind: ObligationKind
  /** Of manifests only. */
  readonly job: Job | undefined
  /** Undefined for an orphan. */
  readonly owner: OwnerId | undefined
  readonly state: ObligationState
  /** Paid attempts journalled so far. */
  readonly attempts: number
  /** Inputs of the attempt in flight: what a crash may cost twice. 0 unless `paying`. */
  readonly inputsAtRisk: number
  /** An orphan is not to be adopted before (ledger time); 0 for at once. */
  readonly notBeforeMs: number
  /** Why it was moved last; empty at first. */
  readonly reason: string
  /** Ledger time at which its first part was admitted. */
  readonly sinceMs: number
  /** Parts left, by partition. */
  readonly parts: ReadonlyMap<number, number>
}

export type Settlement = 'indexed' | 'deleted' | 'skipped' | 'dead'

export interface SettleOutcome {
  readonly part: Part
  readonly settlement: Settlement
}

/**
 * - `settled`    done.
 * - `superseded` (only for `indexed`) L names a newer content by now. The part stays: delete your own object, then
 *                settle it as `skipped`.
 * - `current`    (only for `skipped`) refused: L still names this very content. The part stays.
 * - `gone`       the caller does not hold this part (any more). With `newer`, L has another content of a higher
 *                generation: delete your own object.
 */
export type SettleAnswer =
  | { readonly kind: 'settled' | 'superseded' | 'current' }
  | { readonly kind: 'gone'; readonly newer: boolean }

export interface SettleReply {
  /** One per outcome, in order. */
  readonly answers: readonly SettleAnswer[]
  /**
   * Unsettled parts that joined this obligation from others (at most 256 a call). The owner serves them too, with the
   * vector that it has; the obligation does not end without them.
   */
  readonly more: readonly Part[]
}

export interface MoveFields {
  readonly reason: string
  /** Ledger milliseconds from now until an orphan may be adopted; 0 at once. */
  readonly delayMs: number
  /** Attempts of the new obligation; at most those of the old one. */
  readonly attempts: number
  /** Added to the failures of each part moved. */
  readonly failures: number
}

export interface Registration {
  /** Stable over restarts of one instance, unique among the living, e.g. `embedder-realtime-1`. */
  readonly instance: string
  readonly service: string
  readonly leaseMs: number
}

export interface Instance {
  readonly owner: OwnerId
  readonly instance: string
  readonly service: string
  /** Ledger time until which nobody may take over its obligations. */
  readonly leaseUntilMs: number
  /** Kafka member ids by group, as last noted. */
  readonly members: ReadonlyMap<string, string>
  /** Why it could not work now, as it said at its last renewal; empty when it could. */
  readonly trouble: string
}

/** The last switch: where it cut, and how the new lanes took over. */
export interface Handoff {
  readonly epoch: number
  /** Ledger time of the cut. */
  readonly cutMs: number
  /** H: the frontier of every partition at the cut. */
  readonly frontiers: ReadonlyMap<number, bigint>
  /** Ledger time of the first admission since, of each partition that changed its lane; undefined: none yet. */
  readonly admittedMs: ReadonlyMap<number, number | undefined>
  /** Documents whose manifest was not sent yet and became an orphan, at the cut or when the switch began to drain. */
  readonly released: number
  /** Jobs that are to be cancelled. */
  readonly cancelled: number
}

export interface PartitionState {
  readonly lane: Lane
  /** A: the next offset to be admitted. */
  readonly frontier: bigint
}

export interface LedgerState {
  /** Random, made with the ledger: tells a foreign or fresh one. */
  readonly ledgerId: string
  readonly epoch: number
  /** Set while a switch waits for the old lane to become empty: nothing is admitted, no orphan is adopted. */
  readonly draining: { readonly epoch: number; readonly sinceMs: number } | undefined
  /** Set while admission is paused by an operator or a gate. */
  readonly pause: { readonly reason: string; readonly actor: string; readonly sinceMs: number } | undefined
  /** Lane of partitions not seen yet. */
  readonly defaultLane: Lane
  readonly partitions: ReadonlyMap<number, PartitionState>
  /** Undefined before the first switch. */
  readonly handoff: Handoff | undefined
  /** Set while the ledger learns what was before it. */
  readonly rebuild: Rebuild | undefined
}

/** Where the offsets in [W, A) of one partition stand. */
export interface PartitionProgress extends PartitionState {
  /** W: lowest unsettled offset, else A. */
  readonly watermark: bigint
  /** Unsettled offsets in [W, A). */
  readonly unsettled: number
}

/** Totals since the ledger was made. */
export interface LedgerCounts {
  readonly admitted: number
  readonly unchanged: number
  readonly covered: number
  readonly superseded: number
  readonly embed: number
  readonly copy: number
  readonly share: number
  readonly delete: number
  readonly indexed: number
  readonly deleted: number
  readonly skipped: number
  readonly dead: number
  /** Tokens that the provider reported as charged. */
  readonly paidTokens: number
  /** Tokens of the texts that had to be paid for: one payment per `embed` part that was settled as indexed. */
  readonly necessaryTokens: number
  /** Payment keys in the processed set. */
  readonly processed: number
  /** Manifests that were archived and had a job. */
  readonly jobs: number
}

export interface Survey {
  readonly state: LedgerState
  readonly progress: ReadonlyMap<number, PartitionProgress>
  readonly obligations: readonly Obligation[]
  readonly instances: readonly Instance[]
  readonly counts: LedgerCounts
  /** Ledger time of the answer. */
  readonly nowMs: number
}

/** What the ledger knows of a document: its newest admitted version. */
export interface Latest {
  readonly version: number
  readonly generation: number
  /**
   * The 64 bits of the payment key that `latest` keeps, 16 hex digits; undefined for a tombstone. They alone tell
   * whether a document has another content.
   */
  readonly content: string | undefined
  readonly metadataHash: number
  /** `expected`: the log has this version, and it is to be admitted (again); its content is not known. */
  readonly status: 'open' | 'indexed' | 'dead' | 'expected'
}

/** What L was found to say of a document, and what is true. */
export interface Correction {
  readonly docKey: Digest
  readonly found: Pick<Latest, 'version' | 'generation' | 'status'>
  /**
   * - `indexed`  the object of that generation stands in the index: given up or forgotten, yet written.
   * - `expected` it does not: the document has to be admitted again.
   */
  readonly status: 'indexed' | 'expected'
  /** Payment key of the object; joins `processed` when it is indexed. */
  readonly content: Digest
}

/** Names a switch: the epoch belongs to it alone. */
export interface SwitchEpochs {
  readonly expectedEpoch: number
  /** Offset of the intent in the control topic, plus 1; greater than `expectedEpoch`. */
  readonly epoch: number
}

export interface LaneSwitch extends SwitchEpochs {
  /** Partitions that change; the others keep their lane. */
  readonly lanes: ReadonlyMap<number, Lane>
  readonly defaultLane: Lane
  /** `unsent`: what no create call was journalled for is released too, and the jobs that run are to be cancelled. */
  readonly release: 'open' | 'unsent'
}

/**
 * - `epoch`    the current epoch is another: somebody else has switched.
 * - `draining` another switch is waiting for its lane to become empty.
 * - `aborted`  this switch was aborted.
 */
export interface SwitchRefusal {
  readonly kind: 'refused'
  readonly reason: 'epoch' | 'draining' | 'aborted'
  /** The current one. */
  readonly epoch: number
}

export interface Ledger extends LedgerRebuild {
  /**
   * Makes the ledger when it is absent: epoch 1, all lanes `defaultLane`. Otherwise changes nothing.
   * @param absent - `lost`: the log tells of an earlier life, so a ledger that has to be made is to be rebuilt first.
   * @throws {Failure} `LEDGER_FOREIGN` when the store holds a ledger of another format.
   */
  open(defaultLane: Lane, absent?: 'lost'): Promise<LedgerState>

  state(): Promise<LedgerState>

  /** Set-if-absent: A = `logStart`, lane = default lane. */
  openPartition(partition: number, logStart: bigint): Promise<PartitionState>

  /**
   * Begins a life. Also answers the Kafka member ids that former lives of this instance left behind: they block their
   * groups until they are made to leave.
   */
  register(
    registration: Registration
  ): Promise<{ readonly owner: OwnerId; readonly ghosts: ReadonlyMap<string, string> }>

  /**
   * False when the owner is unknown (released, or the ledger was lost): register anew and drop what is held.
   * @param trouble - why the instance could not work now; empty when it could.
   */
  renew(owner: OwnerId, leaseMs: number, trouble: string): Promise<boolean>

  /** Notes the Kafka member id of this life in a group. */
  noteMember(owner: OwnerId, group: string, memberId: string): Promise<void>

  /** Ends a life: its obligations may be taken over at once. */
  release(owner: OwnerId): Promise<void>

  admit(admission: Admission): Promise<AdmitReply>

  /**
   * Journals one more paid attempt for `inputs` inputs, before it is sent. Repeated with the same `attempt` number
   * (the one it will be, from 1) it changes nothing.
   * @returns `gone` when the caller does not own the obligation: do not pay. Also for a manifest: `advance` journals
   * what that pays.
   */
  attempt(
    obligation: ObligationId,
    owner: OwnerId,
    attempt: number,
    inputs: number
  ): Promise<'journalled' | 'gone'>

  /**
   * Settles parts after the store (or the dead-letter topic) acknowledged them. An obligation without parts ends.
   * `paidTokens` adds to the totals; a resent call may count them twice.
   */
  settle(
    obligation: ObligationId,
    owner: OwnerId,
    outcomes: readonly SettleOutcome[],
    paidTokens: number
  ): Promise<SettleReply>

  /**
   * Moves parts, and with them every part that shares a payment key with one of them, into another obligation:
   * a new orphan, a new request of the same owner (bisection), or the caller's open manifest, which the first such
   * part makes. A new target takes over `sinceMs`.
   * With a source of more than 2,048 parts, name all that share: else they are looked for page by page.
   * @returns the parts of the target, or those moved by this call if it is a manifest (repeated: those that it named,
   * `settle` tells of the others); `gone` when the caller does not own `from`, and the target is not its move; `held`
   * when `from` is a manifest of a state that lets no part go: they leave one only while no job of it can run, `open` to
   * `uploaded` or `terminal` (I9); or when the target is no open manifest of the caller's (any more).
   */
  move(
    from: ObligationId,
    owner: OwnerId,
    parts: readonly Part[],
    to: { readonly id: ObligationId; readonly kind: ObligationKind },
    fields: MoveFields
  ): Promise<{ readonly kind: 'moved'; readonly parts: readonly Part[] } | { readonly kind: 'gone' | 'held' }>

  /**
   * Takes a manifest from one state to another, and notes what is known of its job. Repeated, when it is in the new
   * state already, it notes the fields again. `archived` ends it: refused while it has parts; the job is kept among
   * the past ones.
   * @param to - `from` for only noting fields; else the next state, or back: `submitting` to `uploaded` (refused:
   * surely no job) or `sealed` (its file was deleted), `submitted` to `uploaded` or `sealed` (the job failed validation),
   * `uploaded` to `sealed` (its file is gone). `archived` is reached from `open`, `sealed` and `terminal`.
   * @throws {RangeError} no such step.
   */
  advance(
    manifest: ObligationId,
    owner: OwnerId,
    from: ManifestState,
    to: ManifestState | 'archived',
    fields: Partial<Job>
  ): Promise<'advanced' | 'refused' | 'gone'>

  /** Leaves an operator's order with a manifest for its owner. False when there is no such manifest. */
  order(manifest: ObligationId, order: JobOrder): Promise<boolean>

  /** Manifests that have ended, the latest first; the last 1,000 are kept. */
  pastJobs(limit: number): Promise<readonly PastJob[]>

  /**
   * Obligations of these kinds that the caller may take over now: orphans whose time has come, and those of owners
   * whose lease ran out or who are gone. Oldest first, at most `limit`.
   */
  adoptable(kinds: readonly ObligationKind[], limit: number): Promise<readonly ObligationId[]>

  /**
   * Makes an adoptable obligation a request of `owner`; a manifest stays one, in its state, and its parts are not
   * listed: they may be many. Orphans are refused (`fenced`, `paused`, `draining`) unless
   * the epoch is current and the lane of their lowest partition is the caller's; those of dead owners are not.
   * A repeated call by the new owner gets the same answer.
   */
  takeover(
    obligation: ObligationId,
    claim: { readonly owner: OwnerId; readonly epoch: number; readonly lane: Lane }
  ): Promise<
    | { readonly kind: 'taken'; readonly obligation: Obligation; readonly parts: readonly Part[] }
    | { readonly kind: 'refused'; readonly reason: 'gone' | 'alive' | 'fenced' | 'paused' | 'draining' }
  >

  /** W of every partition: its lowest unsettled offset, else A. */
  watermarks(): Promise<ReadonlyMap<number, bigint>>

  /** Of these parts, which does a newer content of their document supersede by now? One answer per part. */
  superseded(parts: readonly Part[]): Promise<readonly boolean[]>

  /** Stops admission everywhere. A pause that stands keeps its reason. False when the epoch is not current. */
  pause(expectedEpoch: number, reason: string, actor: string): Promise<boolean>

  /** Ends a pause; harmless without one. False when the epoch is not current. */
  resume(expectedEpoch: number): Promise<boolean>

  /**
   * Begins the wait of a switch for its old lane: from now on nothing is admitted and no orphan adopted. Open manifests
   * become orphans, so that they do not grow old meanwhile. `switchLanes` of the same epoch ends it, or `abortSwitch`.
   */
  drain(change: SwitchEpochs): Promise<{ readonly kind: 'draining' } | SwitchRefusal>

  /**
   * Ends the drain of a switch, and sees to it that this switch is never made.
   * @returns `passed` when the current epoch is its own already, or a later one.
   */
  abortSwitch(epoch: number): Promise<'aborted' | 'passed'>

  /**
   * Changes lanes and epoch in one step, makes orphans of manifests (see `release`), ends its drain, and wakes all
   * instances. That is the whole cut.
   */
  switchLanes(
    change: LaneSwitch
  ): Promise<{ readonly kind: 'switched'; readonly handoff: Handoff } | SwitchRefusal>

  survey(): Promise<Survey>

  /** Corrects L where it still says what was found, and is not `open`. One answer per correction: was it made? */
  correct(corrections: readonly Correction[]): Promise<readonly boolean[]>

  /** In order; undefined for documents never admitted. */
  latest(docKeys: readonly Digest[]): Promise<readonly (Latest | undefined)[]>

  /** In order: is a vector of this payment key known to be in the index? */
  processed(contents: readonly Digest[]): Promise<readonly boolean[]>

  /**
   * Parts of an obligation in order of partition and offset: all of them, or a page of about `limit` that begins after
   * a place. A page may be shorter and is empty only at the end.
   */
  parts(
    obligation: ObligationId,
    page?: { readonly after: PartPlace | undefined; readonly limit: number }
  ): Promise<readonly Part[]>

  /**
   * Calls `onChange` when lanes, epoch, drain or pause may have changed. A hint, at most once: poll `state` as well.
   */
  watch(onChange: () => void): Promise<AsyncDisposable>
}
