import type { ByteBuffer } from '../byte-buffer.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { VectorSource } from '../vector-source.ts'
import type { JobInput } from './job-input.ts'
import { prepareLine, runLine, writeNotRun, writeOutcome } from './line-answer.ts'
import type { LineOutcome, NotRun, PreparedLine } from './line-answer.ts'

/** Enough to keep threads busy, few enough that others come to their turn. */
const maxLines = 64
/** Unless a single line has more. */
const maxInputs = 128

interface SliceDeps {
  readonly vectors: VectorSource
  readonly counter: TokenCounter
}

/** Runs lines from position `from` on, as many as make a slice and none from `until` on. */
export async function runSlice(
  input: JobInput,
  from: number,
  until: number,
  deps: SliceDeps
): Promise<LineOutcome[]> {
  const lines: PreparedLine[] = []
  let inputs = 0
  for (let at = from; at < until && lines.length < maxLines && inputs < maxInputs; at++) {
    const line = prepareLine(input.read(at), deps)
    inputs += line.request instanceof Error ? 0 : line.request.inputs.length
    lines.push(line)
  }
  return await Promise.all(lines.map(line => runLine(line, deps)))
}

/** Writes what the lines leave in the output file and in the error file. */
export function writeSlice(outcomes: readonly LineOutcome[], output: ByteBuffer, errors: ByteBuffer): void {
  for (const outcome of outcomes) writeOutcome(outcome, outcome.kind === 'embedded' ? output : errors)
}

/** Writes what the lines from position `from` to before `until`, which never ran, leave in the error file. */
export function writeSliceNotRun(
  input: JobInput,
  from: number,
  until: number,
  reason: NotRun,
  errors: ByteBuffer
): void {
  for (let at = from; at < until; at++) writeNotRun(input.read(at), reason, errors)
}
