import { z } from 'zod'
import { when } from '../fault-when.ts'

// What may become of single lines of a job. A line is paid unless it is said here that it is not.

const ofLine = { ...when, route: z.literal('lines').default('lines') }

export const lineKinds = [
  /** Keeps the whole job from running: `code` as the inspection of the input would say it. */
  z.strictObject({
    ...ofLine,
    kind: z.literal('invalid_line'),
    code: z.string().default('invalid_request'),
    message: z.string().optional(),
    param: z.string().nullable().optional()
  }),
  /** Answered with this status, or not answered at all (`as: 'error'`); counted as failed. */
  z.strictObject({
    ...ofLine,
    kind: z.literal('line_error'),
    /** A real provider writes 0 for some failures. */
    status: z.number().int().min(0).max(599).default(500),
    as: z.enum(['response', 'error']).default('response'),
    file: z.enum(['error', 'output']).default('error'),
    message: z.string().optional(),
    code: z.string().nullable().optional(),
    paid: z.boolean().default(false)
  }),
  /** In neither file. */
  z.strictObject({ ...ofLine, kind: z.literal('line_missing'), paid: z.boolean().default(true) }),
  /** A second line of the same custom_id: the same, with another vector, or a failure in the error file. */
  z.strictObject({
    ...ofLine,
    kind: z.literal('line_duplicated'),
    as: z.enum(['same', 'vector', 'error']).default('same')
  }),
  /** Two struck lines that run one after the other carry each other's custom_id. No client can tell. */
  z.strictObject({ ...ofLine, kind: z.literal('line_swapped') }),
  /** Its custom_id is one that the input does not have; or a line of such a one comes on top of it. */
  z.strictObject({ ...ofLine, kind: z.literal('line_stranger'), added: z.boolean().default(false) }),
  /** Not JSON, not UTF-8 (in the custom_id), or blank. */
  z.strictObject({
    ...ofLine,
    kind: z.literal('line_malformed'),
    as: z.enum(['json', 'utf8', 'blank']).default('json')
  }),
  /** Status 200 without anything behind it. */
  z.strictObject({
    ...ofLine,
    kind: z.literal('line_empty'),
    body: z.enum(['null', 'object', 'string', 'absent']).default('null')
  })
] as const
