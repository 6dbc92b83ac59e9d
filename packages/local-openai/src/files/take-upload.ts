import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { ApiError, invalidRequest } from '../api-error.ts'
import { newFileId } from '../ids.ts'
import { isRecord, missing, parseChoice, parseIntegerText } from '../request-checks.ts'
import type { FileFault } from './file-fault-kinds.ts'
import { uploadPurposes } from './file-record.ts'
import type { FileRecord } from './file-record.ts'
import type { FileStore } from './file-store.ts'
import { readFirstLine } from './first-line.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { receiveForm } from './receive-form.ts'
import type { UploadForm } from './receive-form.ts'

const maxFileBytes = 512 * 1024 * 1024

const minExpirySeconds = 3600
const maxExpirySeconds = 2_592_000
const defaultBatchExpiryMs = 30 * 86_400_000

interface UploadDeps {
  readonly files: FileStore
  readonly clock: VirtualClock
  readonly maxBatchFileBytes: number
  /** Called when the file is stored. */
  readonly drawFaults: () => readonly FileFault[]
}

/**
 * `POST /v1/files`: streams the file to disk, checks what OpenAI checks, and adds it.
 * @throws {ApiError} 400 or 413; then nothing is kept.
 */
export async function takeUpload(
  { clock, drawFaults, files: store, maxBatchFileBytes }: UploadDeps,
  request: IncomingMessage
): Promise<FileRecord> {
  const id = newFileId()
  const path = store.pathOf(id)
  try {
    const form = await receiveForm(request, path, maxFileBytes)
    const checked = await checkUpload(form, path, { id, clock, maxBatchFileBytes })
    const file = spoilFile(checked, drawFaults())
    store.add(file)
    return file
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function checkUpload(
  { fields, file }: UploadForm,
  path: string,
  {
    clock,
    id,
    maxBatchFileBytes
  }: { readonly id: string; readonly maxBatchFileBytes: number; readonly clock: VirtualClock }
): Promise<FileRecord> {
  const [createdMs, { skewMs }] = [clock.nowMs(), clock]
  const purpose = parseChoice(fields.get('purpose'), 'purpose', uploadPurposes)
  if (!file) throw missing('file')
  const lifeMs = parseLifeMs(fields, purpose === 'batch' ? defaultBatchExpiryMs : null)
  if (file.isCut) throw tooLarge(`File is too large: the maximum is ${maxFileBytes} bytes.`)
  if (purpose === 'batch') await checkBatchFile(file, path, maxBatchFileBytes)
  const { bytes, filename } = file
  const expiresMs = lifeMs === null ? null : createdMs + lifeMs
  return { id, bytes, createdMs, skewMs, filename, purpose, expiresMs }
}

function spoilFile(file: FileRecord, faults: readonly FileFault[]): FileRecord {
  return faults.reduce<FileRecord>((spoiled, fault) => {
    if (fault.kind === 'file_expired') {
      return { ...spoiled, goneMs: file.createdMs + fault.afterSeconds * 1000 }
    }
    const shownMs = file.createdMs + fault.seconds * 1000
    return fault.where === 'list' ? { ...spoiled, listedMs: shownMs } : { ...spoiled, visibleMs: shownMs }
  }, file)
}

/** Of the lines only the first is looked at: what is wrong with the others, a batch tells. */
async function checkBatchFile(
  { bytes, filename }: { readonly bytes: number; readonly filename: string },
  path: string,
  maxBytes: number
): Promise<void> {
  const line = filename.endsWith('.jsonl') ? await readFirstLine(path) : undefined
  if (!line) throw invalidRequest('Invalid file format for Batch API. Must be .jsonl')
  if (bytes <= maxBytes) return
  const model = isRecord(line['body']) ? String(line['body']['model']) : 'given'
  throw tooLarge(`The batch input file is larger than the ${maxBytes} maximum for the ${model} model`)
}

function parseLifeMs(fields: ReadonlyMap<string, string>, defaultMs: number | null): number | null {
  const anchor = fields.get('expires_after[anchor]')
  const seconds = fields.get('expires_after[seconds]')
  if (anchor === undefined && seconds === undefined) return defaultMs
  parseChoice(anchor, 'expires_after[anchor]', ['created_at'])
  return parseIntegerText(seconds, 'expires_after[seconds]', minExpirySeconds, maxExpirySeconds) * 1000
}

function tooLarge(message: string): ApiError {
  return new ApiError({ status: 413, message, type: 'invalid_request_error' })
}
