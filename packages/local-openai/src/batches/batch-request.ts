import { invalidRequest } from '../api-error.ts'
import {
  isRecord,
  missing,
  parseBody,
  parseChoice,
  parseInteger,
  parseString,
  wrongType
} from '../request-checks.ts'
import { endpoints } from './batch-record.ts'
import type { BatchRecord } from './batch-record.ts'

export type BatchRequest = Pick<BatchRecord, 'inputFileId' | 'endpoint' | 'metadata' | 'outputExpiresAfterMs'>

const fields = new Set(['input_file_id', 'endpoint', 'completion_window', 'metadata', 'output_expires_after'])
const defaultOutputLifeMs = 30 * 86_400_000
const maxPairs = 16
const maxKeyLength = 64
const maxValueLength = 512

/**
 * Checks a body of `POST /v1/batches`. Nothing about the file: that is told by the job.
 * @throws {ApiError} 400.
 */
export function parseBatchRequest(given: unknown): BatchRequest {
  const body = parseBody(given, fields)
  const inputFileId = parseString(body['input_file_id'], 'input_file_id')
  const endpoint = parseChoice(body['endpoint'], 'endpoint', endpoints)
  parseChoice(body['completion_window'], 'completion_window', ['24h'])
  const metadata = parseMetadata(body['metadata'])
  const outputExpiresAfterMs = parseOutputLife(body['output_expires_after'])
  return { inputFileId, endpoint, metadata, outputExpiresAfterMs }
}

function parseMetadata(given: unknown): Record<string, string> | null {
  if (given === undefined || given === null) return null
  if (!isRecord(given)) throw wrongType('metadata', 'an object', given)
  const pairs = Object.entries(given)
  if (pairs.length > maxPairs) {
    throw invalidRequest(
      `Invalid 'metadata': too many properties. Expected an object with at most ${maxPairs} properties, but got an object with ${pairs.length} properties instead.`,
      'metadata',
      'object_above_max_properties'
    )
  }
  return Object.fromEntries(pairs.map(([key, value]) => parsePair(key, value)))
}

function parsePair(key: string, value: unknown): [string, string] {
  const param = `metadata.${key}`
  if (key.length > maxKeyLength) throw tooLong(`metadata`, 'key too long', maxKeyLength, key.length)
  if (typeof value !== 'string') throw wrongType(param, 'a string', value)
  if (value.length > maxValueLength) throw tooLong(param, 'string too long', maxValueLength, value.length)
  return [key, value]
}

function tooLong(param: string, what: string, maxLength: number, length: number): Error {
  return invalidRequest(
    `Invalid '${param}': ${what}. Expected a string with maximum length ${maxLength}, but got a string with length ${length} instead.`,
    param,
    'string_above_max_length'
  )
}

function parseOutputLife(given: unknown): number {
  const param = 'output_expires_after'
  if (given === undefined || given === null) return defaultOutputLifeMs
  if (!isRecord(given)) throw wrongType(param, 'an object', given)
  if (given['anchor'] === undefined) throw missing(`${param}.anchor`)
  parseChoice(given['anchor'], `${param}.anchor`, ['created_at'])
  return parseInteger(given['seconds'], `${param}.seconds`, 3600, 2_592_000) * 1000
}
