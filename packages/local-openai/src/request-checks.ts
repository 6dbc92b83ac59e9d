import { invalidRequest } from './api-error.ts'
import type { ApiError } from './api-error.ts'

export function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

/** @throws {ApiError} 400 for a body that is not an object, or with a field that is not among `fields`. */
export function parseBody(body: unknown, fields: ReadonlySet<string>): Record<string, unknown> {
  if (!isRecord(body))
    throw invalidRequest('We could not parse the JSON body of your request: it is not an object.')
  for (const name of Object.keys(body)) {
    if (!fields.has(name)) throw invalidRequest(`Unknown parameter: '${name}'.`, name, 'unknown_parameter')
  }
  return body
}

/** @throws {ApiError} 400. */
export function parseString(given: unknown, param: string): string {
  if (given === undefined || given === null) throw missing(param)
  if (typeof given !== 'string') throw wrongType(param, 'a string', given)
  return given
}

/** @throws {ApiError} 400 unless `given` is among the `supported`. */
export function parseChoice<const Choice extends string>(
  given: unknown,
  param: string,
  supported: readonly Choice[]
): Choice {
  const value = parseString(given, param)
  const choice = supported.find(one => one === value)
  if (choice !== undefined) return choice
  throw invalidRequest(
    `Invalid value: '${value}'. Supported values are: ${listNames(supported)}.`,
    param,
    'invalid_value'
  )
}

/** @throws {ApiError} 400 unless `given` is a whole number from `min` to `max`. */
export function parseInteger(given: unknown, param: string, min: number, max: number): number {
  if (given === undefined || given === null) throw missing(param)
  if (typeof given !== 'number' || !Number.isInteger(given)) throw wrongType(param, 'an integer', given)
  if (given < min) {
    throw invalidRequest(
      `Invalid '${param}': integer below minimum value. Expected a value >= ${min}, but got ${given} instead.`,
      param,
      'integer_below_min_value'
    )
  }
  if (given <= max) return given
  throw invalidRequest(
    `Invalid '${param}': integer above maximum value. Expected a value <= ${max}, but got ${given} instead.`,
    param,
    'integer_above_max_value'
  )
}

/** Of a query or a form, where numbers are text. @throws {ApiError} 400. */
export function parseIntegerText(given: unknown, param: string, min: number, max: number): number {
  const number = typeof given === 'string' && /^-?\d{1,15}$/.test(given) ? Number(given) : given
  return parseInteger(number, param, min, max)
}

export function missing(name: string): ApiError {
  return invalidRequest(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter')
}

export function wrongType(param: string, wanted: string, given: unknown): ApiError {
  const message = `Invalid type for '${param}': expected ${wanted}, but got ${nameType(given)} instead.`
  return invalidRequest(message, param, 'invalid_type')
}

function nameType(given: unknown): string {
  if (given === null) return 'null'
  if (Array.isArray(given)) return 'an array'
  if (typeof given === 'number') return Number.isInteger(given) ? 'an integer' : 'a decimal number'
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`
}

function listNames(names: readonly string[]): string {
  const quoted = names.map(name => `'${name}'`)
  if (quoted.length < 3) return quoted.join(' and ')
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1) ?? ''}`
}
