import { ApiError, invalidRequest } from './api-error.ts'
import type { EmbeddingModel } from './models.ts'
import { digestText } from './paid-input.ts'
import type { PaidInput } from './paid-input.ts'
import { missing, parseBody, parseChoice, wrongType } from './request-checks.ts'
import { decodeTokens } from './token-counter.ts'
import type { TokenCounter } from './token-counter.ts'

const maxInputs = 2048
const maxTokensPerInput = 8192
const maxTokensPerRequest = 300_000
/** The longest token of cl100k_base has 128 characters: longer text is refused without counting. */
const maxCharacters = maxTokensPerInput * 128

export interface EmbeddingsRequest {
  readonly model: EmbeddingModel
  readonly inputs: readonly PaidInput[]
  readonly dimensions: number
  readonly encoding: 'float' | 'base64'
  readonly tokens: number
}

const fields = new Set(['model', 'input', 'dimensions', 'encoding_format', 'user'])

/**
 * Checks a body of `POST /v1/embeddings` in the order in which OpenAI complains.
 * @throws {ApiError} 400, or 404 for a model that is not served.
 */
export function parseEmbeddingsRequest(
  given: unknown,
  models: readonly EmbeddingModel[],
  counter: TokenCounter
): EmbeddingsRequest {
  const body = parseBody(given, fields)
  const model = parseModel(body['model'], models)
  const encoding = parseEncoding(body['encoding_format'])
  const dimensions = parseDimensions(body['dimensions'], model)
  if (body['user'] !== undefined && typeof body['user'] !== 'string')
    throw wrongType('user', 'a string', body['user'])
  const inputs = parseInputs(body['input'], counter)
  return { model, encoding, dimensions, inputs, tokens: sumTokens(inputs) }
}

function parseModel(given: unknown, models: readonly EmbeddingModel[]): EmbeddingModel {
  if (given === undefined) throw missing('model')
  if (typeof given !== 'string') throw wrongType('model', 'a string', given)
  return findModel(given, models)
}

/** @throws {ApiError} 404. */
export function findModel(id: string, models: readonly EmbeddingModel[]): EmbeddingModel {
  const model = models.find(one => one.id === id)
  if (model) return model
  throw new ApiError({
    status: 404,
    message: `The model '${id}' does not exist or you do not have access to it.`,
    type: 'invalid_request_error',
    code: 'model_not_found'
  })
}

function parseEncoding(given: unknown): 'float' | 'base64' {
  if (given === undefined || given === null) return 'float'
  return parseChoice(given, 'encoding_format', ['float', 'base64'])
}

function parseDimensions(given: unknown, model: EmbeddingModel): number {
  if (given === undefined || given === null) return model.dimensions
  if (!model.acceptsDimensions) throw invalidRequest('This model does not support specifying dimensions.')
  if (typeof given !== 'number' || !Number.isInteger(given))
    throw wrongType('dimensions', 'an integer', given)
  if (given < 1) {
    throw invalidRequest(
      `Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got ${given} instead.`,
      'dimensions',
      'integer_below_min_value'
    )
  }
  if (given > model.dimensions) {
    throw invalidRequest(
      `Invalid value for 'dimensions' = ${given}. Must be less than or equal to ${model.dimensions}.`,
      'dimensions'
    )
  }
  return given
}

function parseInputs(given: unknown, counter: TokenCounter): PaidInput[] {
  if (given === undefined || given === null) throw missing('input')
  if (typeof given === 'string') return [parseInput(given, 'input', counter)]
  if (!Array.isArray(given)) throw wrongType('input', 'one of a string or array', given)
  if (given.length === 0) throw emptyArray('input')
  if (given.length > maxInputs) {
    throw invalidRequest(`Invalid 'input': array length must be ${maxInputs} or less.`, 'input')
  }
  if (typeof given[0] === 'number') return [parseInput(given, 'input', counter)]
  const wanted = typeof given[0] === 'string' ? 'string' : 'object'
  return given.map((one, index) => {
    if (typeof one !== wanted) {
      throw wrongType(`input[${index}]`, wanted === 'string' ? 'a string' : 'an array of integers', one)
    }
    return parseInput(one, `input[${index}]`, counter)
  })
}

function parseInput(given: unknown, param: string, counter: TokenCounter): PaidInput {
  if (typeof given !== 'string') return parseTokenInput(given, param)
  if (given === '') throw invalidRequest(`Invalid '${param}': input cannot be an empty string`, param)
  if (given.length > maxCharacters) throw tooLong(param)
  const digest = digestText(given)
  const tokens = counter.count(given, digest)
  if (tokens > maxTokensPerInput) throw tooLong(param)
  return { text: given, digest, tokens }
}

function parseTokenInput(given: unknown, param: string): PaidInput {
  if (!Array.isArray(given)) throw wrongType(param, 'an array of integers', given)
  if (given.length === 0) throw emptyArray(param)
  if (given.length > maxTokensPerInput) throw tooLong(param)
  const ids: number[] = []
  for (const [index, id] of given.entries()) {
    if (typeof id !== 'number' || !Number.isInteger(id))
      throw wrongType(`${param}[${index}]`, 'an integer', id)
    ids.push(id)
  }
  const text = decodeIds(ids, param)
  return { text, digest: digestText(text), tokens: ids.length }
}

function decodeIds(ids: readonly number[], param: string): string {
  try {
    return decodeTokens(ids)
  } catch {
    throw invalidRequest(`Invalid '${param}': an id is not a token of cl100k_base.`, param, 'invalid_value')
  }
}

function sumTokens(inputs: readonly PaidInput[]): number {
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0)
  if (tokens <= maxTokensPerRequest) return tokens
  throw new ApiError({
    status: 400,
    message: `Requested ${tokens} tokens, max ${maxTokensPerRequest} tokens per request`,
    type: 'max_tokens_per_request',
    code: 'max_tokens_per_request'
  })
}

function emptyArray(param: string): ApiError {
  return invalidRequest(
    `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param,
    'empty_array'
  )
}

function tooLong(param: string): ApiError {
  return invalidRequest(`Invalid '${param}': maximum input length is ${maxTokensPerInput} tokens.`, param)
}
