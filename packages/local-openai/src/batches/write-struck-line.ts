import type { ByteBuffer } from '../byte-buffer.ts'
import { composeAnswer } from '../embeddings-answer.ts'
import { composeWrongAnswer } from '../fault-answer.ts'
import { FloatVectors } from '../float-vectors.ts'
import type { JobFaultRule } from './job-fault.ts'
import { writeAnswered, writeOutcome, writeUnanswered } from './line-answer.ts'
import type { LineOutcome } from './line-answer.ts'

type Embedded = Extract<LineOutcome, { readonly kind: 'embedded' }>
type LineError = Extract<JobFaultRule, { readonly kind: 'line_error' }>

interface Targets {
  readonly output: ByteBuffer
  readonly errors: ByteBuffer
}

const bodies = { null: 'null', object: '{}', string: '""' }

/** Writes what a line that a fault has met leaves in the files of its job. */
export function writeStruckLine(line: Embedded, rule: JobFaultRule, targets: Targets): void {
  const { output } = targets
  if (rule.kind === 'line_missing') return
  if (rule.kind === 'line_error') {
    writeError(line.customId, rule, rule.file === 'output' ? output : targets.errors)
  } else if (rule.kind === 'line_malformed') {
    writeMalformed(line, rule.as, output)
  } else if (rule.kind === 'line_empty') {
    writeEmpty(line, rule.body, output)
  } else if (rule.kind === 'line_stranger') {
    if (rule.added) writeOutcome(line, output)
    writeOutcome({ ...line, customId: `stranger-${line.customId}`.slice(0, 64) }, output)
  } else if (rule.kind === 'line_duplicated') {
    writeOutcome(line, output)
    writeAgain(line, rule.as, targets)
  } else if (rule.kind === 'line_swapped') {
    // The ids have been exchanged before.
    writeOutcome(line, output)
  } else {
    writeAnswered(line.customId, 200, composeWrongAnswer(line.request, line.vectors, rule), output)
  }
}

function writeError(customId: string, { as, code, message, status }: LineError, target: ByteBuffer): void {
  const isServers = status === 0 || status >= 500
  const text =
    message ??
    (isServers ? 'The server had an error while processing your request. Sorry about that!' : 'Refused.')
  if (as === 'error') {
    writeUnanswered(customId, { code: code ?? 'request_timeout', message: text }, target)
    return
  }
  const type = isServers ? 'server_error' : status === 429 ? 'requests' : 'invalid_request_error'
  const ownCode = status === 429 ? 'rate_limit_exceeded' : null
  const error = { message: text, type, param: null, code: code === undefined ? ownCode : code }
  writeAnswered(customId, status, JSON.stringify({ error }), target)
}

function writeAgain(line: Embedded, as: 'same' | 'vector' | 'error', { errors, output }: Targets): void {
  if (as === 'same') {
    writeOutcome(line, output)
  } else if (as === 'error') {
    const error = { message: 'The server had an error.', type: 'server_error', param: null, code: null }
    writeAnswered(line.customId, 500, JSON.stringify({ error }), errors)
  } else {
    // The other way round it is another vector, of the same length and dimensions.
    const rows = line.request.inputs.map((_, index) => line.vectors.row(index).reverse())
    writeOutcome({ ...line, vectors: new FloatVectors(rows) }, output)
  }
}

function writeMalformed(line: Embedded, as: 'json' | 'utf8' | 'blank', output: ByteBuffer): void {
  if (as === 'blank') {
    output.writeLatin1('\n')
    return
  }
  const body = composeAnswer(line.request, line.vectors)
  if (as === 'json') {
    writeAnswered(line.customId, 200, body.subarray(0, body.length / 2), output)
    return
  }
  const start = output.length
  writeAnswered(`\u{1}${line.customId}`, 200, body, output)
  // The mark is escaped in JSON; a byte that no UTF-8 has takes its place.
  const mark = output.bytes.indexOf('\\u0001', start)
  output.bytes.fill(0xff, mark, mark + 6)
}

function writeEmpty(line: Embedded, body: keyof typeof bodies | 'absent', output: ByteBuffer): void {
  if (body !== 'absent') {
    writeAnswered(line.customId, 200, bodies[body], output)
    return
  }
  const answer = { custom_id: line.customId, response: { status_code: 200 }, error: null }
  output.writeUtf8(`${JSON.stringify(answer)}\n`)
}
