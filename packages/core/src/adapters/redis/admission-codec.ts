// What travels between `admit` and lua/admit.lua, whose header tells the layout.
import { Failure } from '../../domain/failure.ts'
import type { Action, Admission, AdmitReply, Candidate, Verdict } from '../../ports/ledger.ts'
import { packRecords, writeDigest, writeUInt56 } from './records.ts'
import { asList, asNumber, asOffset, asRows, asText } from './reply.ts'
import type { ScriptArgument } from './script.ts'

const candidateBytes = 47

const plainVerdicts: Readonly<Record<string, Verdict>> = {
  s: { kind: 'superseded' },
  u: { kind: 'unchanged' },
  c: { kind: 'covered' },
  w: { kind: 'elsewhere' }
}

/** In the order of the digits. */
const actions: readonly (readonly [letter: string, action: Action])[] = [
  ['e', 'embed'],
  ['p', 'copy'],
  ['h', 'share'],
  ['d', 'delete']
]

type GenerationIs = 'version' | 'listed'
const partVerdicts = new Map<
  string,
  { readonly action: Action; readonly replaces: boolean; readonly generation: GenerationIs }
>(
  actions.flatMap(([letter, action], index) => [
    [letter, { action, replaces: false, generation: 'version' }],
    [letter.toUpperCase(), { action, replaces: true, generation: 'version' }],
    [String(index + 1), { action, replaces: true, generation: 'listed' }]
  ])
)

export function admitArguments({
  epoch,
  lane,
  owner,
  obligation,
  manifest,
  slices
}: Admission): ScriptArgument[] {
  return [
    epoch,
    lane,
    owner,
    obligation,
    manifest ?? '',
    ...slices.flatMap(({ partition, from, to, candidates }) => [
      partition,
      from.toString(),
      to.toString(),
      packRecords(candidates, candidateBytes, writeCandidate)
    ])
  ]
}

function writeCandidate(buffer: Buffer, candidate: Candidate, at: number): void {
  const { offset, docKey, version, content, metadataHash, tokens } = candidate
  writeUInt56(buffer, Number(offset), at)
  writeDigest(buffer, docKey, at + 7)
  writeUInt56(buffer, version, at + 19)
  buffer.writeUInt8(content === undefined ? 1 : 0, at + 26)
  writeDigest(buffer, content, at + 27)
  buffer.writeUInt32BE(metadataHash, at + 39)
  buffer.writeUInt32BE(tokens, at + 43)
}

export function readAdmitReply(raw: unknown, admission: Admission): AdmitReply {
  const [kind, ...rest] = asList(raw)
  switch (asText(kind)) {
    case 'admitted':
      return { kind: 'admitted', verdicts: readVerdicts(asText(rest[0]), admission) }
    case 'fenced':
      return { kind: 'fenced', epoch: asNumber(rest[0]) }
    case 'draining':
      return { kind: 'draining' }
    case 'paused':
      return { kind: 'paused', reason: asText(rest[0]) }
    case 'unregistered':
      return { kind: 'unregistered' }
    case 'closed':
      return { kind: 'closed' }
    case 'behind': {
      const frontiers = asRows(rest, 2).map(([p, frontier]) => [asNumber(p), asOffset(frontier)] as const)
      return { kind: 'behind', frontiers: new Map(frontiers) }
    }
    default:
      throw new Failure('LEDGER_FOREIGN', `redis: admit answered ${asText(kind)}`)
  }
}

function readVerdicts(answer: string, { slices }: Admission): Verdict[][] {
  const bar = answer.indexOf('|')
  const generations = answer.slice(bar + 1).split(',')
  let nextLetter = 0
  let nextGeneration = 0

  const read = ({ version }: Candidate): Verdict => {
    const letter = answer.charAt(nextLetter++)
    const plain = plainVerdicts[letter]
    if (plain !== undefined) return plain
    const verdict = partVerdicts.get(letter)
    if (verdict === undefined) throw new Failure('LEDGER_FOREIGN', `redis: no verdict is called ${letter}`)
    const { action, replaces } = verdict
    const generation = verdict.generation === 'version' ? version : Number(generations[nextGeneration++])
    return { kind: 'part', action, generation, replaces }
  }
  return slices.map(({ candidates }) => candidates.map(read))
}
