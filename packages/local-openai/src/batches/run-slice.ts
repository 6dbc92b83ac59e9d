import type { ByteBuffer } from '../byte-buffer.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { VectorSource } from '../vector-source.ts'
import type { JobInput } from './job-input.ts'
import { prepareLine, runLine, writeNotRun, writeOutcome } from './line-answer.ts'
import type { NotRun, PreparedLine } from './line-answer.ts'
import type { LineFaults } from './line-faults.ts'
import type { RanLine } from './ran-line.ts'
import { writeStruckLine } from './write-struck-line.ts'

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
  faults: LineFaults,
  deps: SliceDeps
): Promise<RanLine[]> {
  const lines: PreparedLine[] = []
  let inputs = 0
  for (let at = from; at < until && lines.length < maxLines && inputs < maxInputs; at++) {
    const line = prepareLine(input.read(at), deps)
    inputs += line.request instanceof Error ? 0 : line.request.inputs.length
    lines.push(line)
  }
  const ran = lines.map(async (line, index): Promise<RanLine> => {
    const outcome = await runLine(line, deps)
    return { outcome, fault: faultOf(line, input.numberAt(from + index), faults) }
  })
  return swapIds(await Promise.all(ran))
}

/** Writes what the lines leave in the output file and in the error file. */
export function writeSlice(lines: readonly RanLine[], output: ByteBuffer, errors: ByteBuffer): void {
  for (const { fault, outcome } of lines) {
    if (outcome.kind === 'refused') writeOutcome(outcome, errors)
    else if (fault) writeStruckLine(outcome, fault.rule, { output, errors })
    else writeOutcome(outcome, output)
  }
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

/** What the endpoint refuses by itself meets no fault. */
function faultOf({ customId, request }: PreparedLine, number: number, faults: LineFaults): RanLine['fault'] {
  if (request instanceof Error) return undefined
  return faults.find({ number, customId, texts: request.inputs.map(input => input.text) })
}

/** Pairs the lines that are to be swapped; one that is left over stays as it is. */
function swapIds(lines: RanLine[]): RanLine[] {
  const struck = [...lines.keys()].filter(index => lines[index]?.fault?.rule.kind === 'line_swapped')
  const swapped = [...lines]
  for (let at = 0; at < struck.length; at += 2) {
    const [here = 0, there] = struck.slice(at, at + 2)
    const one = lines[here]
    const other = there === undefined ? undefined : lines[there]
    if (!one) continue
    if (!other || there === undefined) swapped[here] = { ...one, fault: undefined }
    else {
      swapped[here] = { ...one, outcome: { ...one.outcome, customId: other.outcome.customId } }
      swapped[there] = { ...other, outcome: { ...other.outcome, customId: one.outcome.customId } }
    }
  }
  return swapped
}
