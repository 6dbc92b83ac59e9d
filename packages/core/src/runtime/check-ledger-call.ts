// What every ledger demands of its callers, checked before anything is sent: a call that breaks it is a mistake in
// our own code, and half of a transition must never have happened when that shows.
import type { Admission, Candidate, LaneSwitch, SettleOutcome, Slice } from '../ports/ledger.ts'

const maxCandidates = 2048
/** Tokens of a part are kept in 29 bits. */
const maxTokens = 2 ** 29 - 1
/** Offsets are kept as doubles and in 7 bytes. */
const maxOffset = BigInt(Number.MAX_SAFE_INTEGER)

/** @throws {RangeError} the admission breaks the bounds that its type documents. */
export function checkAdmission({ slices }: Admission): void {
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
export function checkSwitch({ epoch, expectedEpoch }: LaneSwitch): void {
  if (!Number.isSafeInteger(epoch) || epoch <= expectedEpoch) {
    throw new RangeError(`epoch ${epoch} after ${expectedEpoch}`)
  }
}
