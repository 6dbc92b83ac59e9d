import type { BatchError } from './batch-record.ts'

// What a job is told to fail for that is about none of its lines.

export function noInputFile(id: string): BatchError {
  return {
    code: 'invalid_request',
    message: `Cannot find file ${id}, or organization org-local does not have access to it.`,
    line: null,
    param: 'file_id'
  }
}

export function enqueuedTooMuch(model: string, limitTokens: number): BatchError {
  return {
    code: 'token_limit_exceeded',
    message: `Enqueued token limit reached for ${model} in organization org-local. Limit: ${limitTokens.toLocaleString('en-US')} enqueued tokens. Please try again once some in_progress batches have been completed.`,
    line: null,
    param: null
  }
}
