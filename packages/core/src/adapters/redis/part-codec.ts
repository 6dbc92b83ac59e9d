// Parts as the scripts pack them: see lua/parts.lua, settle.lua, move.lua and superseded.lua.
import { Failure } from '../../domain/failure.ts'
import type {
  Action,
  Part,
  PartPlace,
  SettleAnswer,
  SettleOutcome,
  SettleReply,
  Settlement
} from '../../ports/ledger.ts'
import { packRecords, readDigest, readUInt56, writeDigest, writeUInt56 } from './records.ts'
import { asBytes, asList, asText } from './reply.ts'

const outcomeBytes = 31
const placeBytes = 11
const rivalBytes = 19
const partBytes = 46

const actions: readonly Action[] = ['embed', 'copy', 'share', 'delete']
const settlements = { indexed: 0, deleted: 1, skipped: 2, dead: 3 } as const satisfies Record<
  Settlement,
  number
>

const answers: Readonly<Record<string, SettleAnswer>> = {
  s: { kind: 'settled' },
  o: { kind: 'superseded' },
  c: { kind: 'current' },
  g: { kind: 'gone', newer: false },
  n: { kind: 'gone', newer: true }
}

export function packOutcomes(outcomes: readonly SettleOutcome[]): Buffer {
  return packRecords(outcomes, outcomeBytes, (buffer, { part, settlement }, at) => {
    writePlace(buffer, part, at)
    writeDigest(buffer, part.docKey, at + 11)
    writeUInt56(buffer, part.generation, at + 23)
    buffer.writeUInt8(settlements[settlement], at + 30)
  })
}

export function packPlaces(parts: readonly PartPlace[]): Buffer {
  return packRecords(parts, placeBytes, writePlace)
}

/** What `latest` is compared with. */
export function packRivals(parts: readonly Part[]): Buffer {
  return packRecords(parts, rivalBytes, (buffer, { docKey, generation }, at) => {
    writeDigest(buffer, docKey, at)
    writeUInt56(buffer, generation, at + 12)
  })
}

function writePlace(buffer: Buffer, { partition, offset }: PartPlace, at: number): void {
  buffer.writeUInt32BE(partition, at)
  writeUInt56(buffer, Number(offset), at + 4)
}

/** In the order in which the script listed them. */
function readParts(raw: unknown): Part[] {
  const packed = asBytes(raw)
  return Array.from({ length: packed.length / partBytes }, (_, index) => readPart(packed, index * partBytes))
}

export function readSortedParts(raw: unknown): Part[] {
  return readParts(raw).sort((a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : 1))
}

function readPart(packed: Buffer, at: number): Part {
  const rest = packed.readUInt32BE(at + 42)
  const action = actions[rest & 7]
  if (action === undefined) throw new Failure('LEDGER_FOREIGN', `redis: no action has the number ${rest & 7}`)
  return {
    partition: packed.readUInt32BE(at),
    offset: BigInt(readUInt56(packed, at + 4)),
    docKey: readDigest(packed, at + 11),
    content: action === 'delete' ? undefined : readDigest(packed, at + 23),
    generation: readUInt56(packed, at + 35),
    action,
    replaces: (rest & 128) !== 0,
    tokens: rest >>> 8,
    failures: (rest >>> 3) & 15
  }
}

export function readSettleReply(raw: unknown): SettleReply {
  const [letters, more] = asList(raw)
  return { answers: Array.from(asText(letters), readAnswer), more: readParts(more) }
}

function readAnswer(letter: string): SettleAnswer {
  const answer = answers[letter]
  if (answer === undefined) throw new Failure('LEDGER_FOREIGN', `redis: no answer is called ${letter}`)
  return answer
}
