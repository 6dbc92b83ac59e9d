import type { BatchError } from './batch-record.ts'
import { complain } from './check-line.ts'
import type { JobFaultRule } from './job-fault.ts'

type InvalidLine = Extract<JobFaultRule, { readonly kind: 'invalid_line' }>

/** What the inspection says of a line that a fault declares invalid; the texts are those of real complaints. */
export function complainOnPurpose(
  { code, message, param }: InvalidLine,
  customId: string,
  model: string
): Omit<BatchError, 'line'> {
  const known = knownComplaint(code, customId, model)
  return complain(code, message ?? known.message, param === undefined ? known.param : param)
}

function knownComplaint(
  code: string,
  customId: string,
  model: string
): { readonly message: string; readonly param: string | null } {
  switch (code) {
    case 'invalid_json_line':
      return { message: 'This line is not parseable as valid JSON.', param: null }
    case 'missing_required_parameter':
      return { message: "Missing required parameter: 'custom_id'.", param: 'custom_id' }
    case 'invalid_url':
      return { message: 'The URL provided for this request does not match the batch endpoint.', param: 'url' }
    case 'model_not_found':
      return {
        message: `The provided model '${model}' is not supported by the Batch API.`,
        param: 'body.model'
      }
    case 'streaming_unsupported':
      return {
        message: 'Chat Completions: Streaming is not supported in the Batch API.',
        param: 'body.stream'
      }
    case 'duplicate_custom_id':
      return {
        message: `The custom_id '${customId}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`,
        param: 'custom_id'
      }
    case 'mismatched_model':
      return {
        message: `The model '${model}' for this request does not match the rest of the batch. Each batch must contain requests for a single model.`,
        param: 'body.model'
      }
    default:
      return { message: 'Model parameter is required.', param: 'body.model' }
  }
}
