// What a rebuild tells, as lua/restore.lua, expect.lua, adopt-job.lua and correct.lua read it.
import type { Correction, Latest } from '../../ports/ledger.ts'
import type { AwaitedDocument, ExpectedDocument, RestoredObject } from '../../ports/ledger-rebuild.ts'
import { packRecords, writeDigest, writeUInt56 } from './records.ts'

const objectBytes = 38
const documentBytes = 32
const awaitedBytes = 50
const correctionBytes = 40

/** In the order of their numbers in lua/latest.lua. */
export const latestStatuses: readonly Latest['status'][] = ['open', 'indexed', 'dead', 'expected']

export function packObjects(objects: readonly RestoredObject[]): Buffer {
  return packRecords(objects, objectBytes, (buffer, { docKey, content, version, generation }, at) => {
    writeDigest(buffer, docKey, at)
    writeDigest(buffer, content, at + 12)
    writeUInt56(buffer, version, at + 24)
    writeUInt56(buffer, generation, at + 31)
  })
}

export function packExpected(documents: readonly ExpectedDocument[]): Buffer {
  return packRecords(documents, documentBytes, (buffer, { docKey, version, content }, at) => {
    writeDigest(buffer, docKey, at)
    writeUInt56(buffer, version, at + 12)
    buffer.writeUInt8(content === undefined ? 1 : 0, at + 19)
    writeDigest(buffer, content, at + 20)
  })
}

export function packAwaited(documents: readonly AwaitedDocument[]): Buffer {
  return packRecords(documents, awaitedBytes, (buffer, document, at) => {
    const { partition, offset, docKey, version, content, metadataHash, tokens } = document
    buffer.writeUInt32BE(partition, at)
    writeUInt56(buffer, Number(offset), at + 4)
    writeDigest(buffer, docKey, at + 11)
    writeUInt56(buffer, version, at + 23)
    writeDigest(buffer, content, at + 30)
    buffer.writeUInt32BE(metadataHash, at + 42)
    buffer.writeUInt32BE(tokens, at + 46)
  })
}

export function packCorrections(corrections: readonly Correction[]): Buffer {
  return packRecords(corrections, correctionBytes, (buffer, { docKey, found, status, content }, at) => {
    writeDigest(buffer, docKey, at)
    writeUInt56(buffer, found.version, at + 12)
    writeUInt56(buffer, found.generation, at + 19)
    buffer.writeUInt8(latestStatuses.indexOf(found.status), at + 26)
    buffer.writeUInt8(latestStatuses.indexOf(status), at + 27)
    writeDigest(buffer, content, at + 28)
  })
}
