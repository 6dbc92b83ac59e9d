// What every ledger demands of its callers, checked before anything is sent: a call that breaks it is a mistake in
// our own code, and half of a transition must never have happened when that shows.
import type {
  Admission,
  Candidate,
  Ledger,
  ManifestState,
  MoveFields,
  SettleOutcome,
  Slice,
  SwitchEpochs
} from '../ports/ledger.ts'

const maxCandidates = 2048
/** Tokens of a part are kept in 24 bits. */
const maxTokens = 2 ** 24 - 1
/** Offsets are kept as doubles and in 7 bytes. */
const maxOffset = BigInt(Number.MAX_SAFE_INTEGER)

const nextStates: Readonly<Record<ManifestState, readonly (ManifestState | 'archived')[]>> = {
  open: ['sealed', 'archived'],
  sealed: ['uploaded', 'archived'],
  uploaded: ['submitting', 'sealed'],
  submitting: ['submitted', 'uploaded', 'sealed'],
  submitted: ['terminal', 'uploaded', 'sealed'],
  terminal: ['archived']
}

/** @throws {RangeError} the admission breaks the bounds that its type documents. */
export function checkAdmission({ obligation, manifest, slices }: Admission): void {
  if (obligation === manifest) throw new RangeError(`${obligation} is the request and the manifest`)
  if (slices.length === 0) throw new RangeError('an admission needs a slice')
  if (new Set(slices.map(slice => slice.partition)).size !== slices.length) {
    throw new RangeError('an admission names a partition twice')
  }
  const candidates = slices.reduce((sum, slice) => sum + slice.candidates.length, 0)
  if (candidates > maxCandidates) throw new RangeError(`${candidates} candidates in one admission`)
  slices.forEach(checkSlice)
}

function checkSlice({ partition, from, to, candidates }: Slice): void {
  if (from < 0n || to < from || to > maxOffset) throw new RangeError(`no range: [${from}, ${to})`)
  let least = from
  for (const candidate of candidates) {
    if (candidate.offset < least || candidate.offset >= to) {
      throw new RangeError(`offset ${candidate.offset} of partition ${partition} is out of order`)
    }
    checkCandidate(candidate)
    least = candidate.offset + 1n
  }
}

function checkCandidate({ version, tokens, metadataHash }: Candidate): void {
  if (!Number.isSafeInteger(version) || version < 0) throw new RangeError(`version ${version}`)
  if (!Number.isInteger(tokens) || tokens < 0 || tokens > maxTokens) throw new RangeError(`${tokens} tokens`)
  if (metadataHash >>> 0 !== metadataHash) throw new RangeError(`metadata hash ${metadataHash}`)
}

/** @throws {RangeError} a delete that is called indexed, or a document that is called deleted. */
export function checkOutcomes(outcomes: readonly SettleOutcome[]): void {
  for (const { part, settlement } of outcomes) {
    const fits = part.action === 'delete' ? settlement !== 'indexed' : settlement !== 'deleted'
    if (!fits) throw new RangeError(`a part to ${part.action} cannot be ${settlement}`)
  }
}

/** @throws {RangeError} the epoch would not rise. */
export function checkSwitch({ epoch, expectedEpoch }: SwitchEpochs): void {
  if (!Number.isSafeInteger(epoch) || epoch <= expectedEpoch) {
    throw new RangeError(`epoch ${epoch} after ${expectedEpoch}`)
  }
}

/** @throws {RangeError} the failures would fall. */
export function checkMove({ failures }: MoveFields): void {
  if (!Number.isInteger(failures) || failures < 0) throw new RangeError(`${failures} failures`)
}

/** @throws {RangeError} no such step. */
export function checkAdvance(from: ManifestState, to: ManifestState | 'archived'): void {
  if (from !== to && !nextStates[from].includes(to)) throw new RangeError(`no step from ${from} to ${to}`)
}

/** @throws {RangeError} the page would be empty. */
export function checkPage(page: Parameters<Ledger['parts']>[1]): void {
  if (page !== undefined && (!Number.isInteger(page.limit) || page.limit < 1)) {
    throw new RangeError(`a page of ${page.limit}`)
  }
}
