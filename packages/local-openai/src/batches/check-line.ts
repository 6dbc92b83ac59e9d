import { isUtf8 } from 'node:buffer'
import { isRecord } from '../request-checks.ts'
import type { BatchError } from './batch-record.ts'

/** A line of a batch's input. */
export interface BatchLine {
  readonly customId: string
  readonly model: string
  /** The request, unchecked. */
  readonly body: Readonly<Record<string, unknown>>
}

type Complaint = Omit<BatchError, 'line'>

const required = ['custom_id', 'method', 'url', 'body'] as const
const maxCustomIdLength = 64

/** @returns the line, or what keeps the whole batch from running. */
export function parseLine(
  bytes: Buffer,
  endpoint: string,
  models: ReadonlySet<string>
): BatchLine | Complaint {
  const line = parseObject(bytes)
  if (!line) return complain('invalid_json_line', 'This line is not parseable as valid JSON.', null)
  for (const name of required) {
    if (line[name] === undefined) {
      return complain('missing_required_parameter', `Missing required parameter: '${name}'.`, name)
    }
  }
  const { body, custom_id: customId, method, url } = line
  if (typeof customId !== 'string' || customId.length > maxCustomIdLength) {
    const message = `Invalid 'custom_id': expected a string with maximum length ${maxCustomIdLength}.`
    return complain('invalid_request', message, 'custom_id')
  }
  if (method !== 'POST') {
    return complain(
      'invalid_request',
      `Invalid method: '${typeof method === 'string' ? method : JSON.stringify(method)}'. Expected 'POST'.`,
      'method'
    )
  }
  if (url !== endpoint) {
    const message = 'The URL provided for this request does not match the batch endpoint.'
    return complain('invalid_url', message, 'url')
  }
  if (!isRecord(body))
    return complain('invalid_request', "Invalid type for 'body': expected an object.", 'body')
  return checkModel(customId, body, models)
}

export function isComplaint(result: BatchLine | Complaint): result is Complaint {
  return 'code' in result
}

/** @returns undefined unless the bytes are a JSON object. A byte order mark makes a line unparsable. */
export function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function complain(code: string, message: string, param: string | null): Complaint {
  return { code, message, param }
}

function checkModel(
  customId: string,
  body: Record<string, unknown>,
  models: ReadonlySet<string>
): BatchLine | Complaint {
  const { model, stream } = body
  if (model === undefined || model === null || model === '') {
    return complain('invalid_request', 'Model parameter is required.', 'body.model')
  }
  if (stream === true) {
    const message = 'Chat Completions: Streaming is not supported in the Batch API.'
    return complain('streaming_unsupported', message, 'body.stream')
  }
  if (typeof model !== 'string' || !models.has(model)) {
    const message = `The provided model '${typeof model === 'string' ? model : JSON.stringify(model)}' is not supported by the Batch API.`
    return complain('model_not_found', message, 'body.model')
  }
  return { customId, model, body }
}
