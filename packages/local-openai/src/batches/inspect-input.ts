import { ApiError } from '../api-error.ts'
import { parseEmbeddingsRequest } from '../embeddings-request.ts'
import type { EmbeddingModel } from '../models.ts'
import type { TokenCounter } from '../token-counter.ts'
import type { BatchError, Inspection } from './batch-record.ts'
import { complain, isComplaint, parseLine } from './check-line.ts'
import type { BatchLine } from './check-line.ts'
import { complainOnPurpose } from './invalid-line.ts'
import type { LineFaults } from './line-faults.ts'
import { readLineBlocks } from './line-blocks.ts'
import type { Turns } from './turns.ts'

const maxLines = 50_000
const maxInputs = 50_000
/** More are not listed. */
const maxErrors = 100

export interface InspectOptions {
  readonly endpoint: string
  /** Those served at the endpoint. */
  readonly models: readonly EmbeddingModel[]
  readonly counter: TokenCounter
  readonly turns: Turns
  readonly faults?: LineFaults
}

/**
 * Reads the input of a job from its first line to its last and says what it holds, or what is wrong with it.
 * @throws {Error} `AbortError` when aborted.
 */
export async function inspectInput(
  path: string,
  options: InspectOptions,
  signal: AbortSignal
): Promise<Inspection> {
  const inspector = new Inspector(options)
  for await (const lines of readLineBlocks(path)) {
    await options.turns.next()
    signal.throwIfAborted()
    for (const { bytes } of lines) inspector.read(bytes)
    if (inspector.isFull) break
  }
  return inspector.result()
}

class Inspector {
  readonly #options: InspectOptions
  readonly #modelIds: ReadonlySet<string>
  readonly #customIds = new Set<string>()
  readonly #errors: BatchError[] = []
  #lines = 0
  #inputs = 0
  #tokens = 0
  #model: string | null = null

  constructor(options: InspectOptions) {
    this.#options = options
    this.#modelIds = new Set(options.models.map(model => model.id))
  }

  /** Whether what follows can change nothing. */
  get isFull(): boolean {
    return this.#errors.length >= maxErrors || this.#lines > maxLines
  }

  read(bytes: Buffer): void {
    if (this.isFull) return
    this.#lines++
    const line = parseLine(bytes, this.#options.endpoint, this.#modelIds)
    const complaint = isComplaint(line)
      ? line
      : (this.#compare(line) ?? this.#weigh(line) ?? this.#strike(line))
    if (complaint) this.#errors.push({ ...complaint, line: this.#lines })
  }

  result(): Inspection {
    const whole = this.#errors.length > 0 ? undefined : this.#checkWhole()
    const errors = whole ? [{ ...whole, line: null }] : this.#errors
    return { errors, lines: this.#lines, tokens: this.#tokens, model: this.#model }
  }

  /** With the lines before it. */
  #compare({ customId, model }: BatchLine): Omit<BatchError, 'line'> | undefined {
    if (this.#customIds.has(customId)) {
      const message = `The custom_id '${customId}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`
      return complain('duplicate_custom_id', message, 'custom_id')
    }
    this.#customIds.add(customId)
    this.#model ??= model
    if (model === this.#model) return undefined
    const message = `The model '${model}' for this request does not match the rest of the batch. Each batch must contain requests for a single model.`
    return complain('mismatched_model', message, 'body.model')
  }

  /** What the endpoint will refuse weighs nothing, and is no reason not to run the others. */
  #weigh({ body }: BatchLine): undefined {
    try {
      const { inputs, tokens } = parseEmbeddingsRequest(body, this.#options.models, this.#options.counter)
      this.#inputs += inputs.length
      this.#tokens += tokens
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const { input } = body
      this.#inputs += Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
    }
  }

  #strike({ body, customId, model }: BatchLine): Omit<BatchError, 'line'> | undefined {
    const { input } = body
    const texts = (Array.isArray(input) ? input : [input]).filter(text => typeof text === 'string')
    const rule = this.#options.faults?.find({ number: this.#lines, customId, texts })?.rule
    return rule?.kind === 'invalid_line' ? complainOnPurpose(rule, customId, model) : undefined
  }

  #checkWhole(): Omit<BatchError, 'line'> | undefined {
    if (this.#lines === 0) return complain('empty_file', 'The input file is empty.', null)
    if (this.#lines > maxLines) {
      const message = `The batch contains too many requests. The limit is ${maxLines} requests per batch.`
      return complain('too_many_requests', message, null)
    }
    if (this.#inputs <= maxInputs) return undefined
    const message = `The batch contains too many embedding inputs. The limit is ${maxInputs} inputs across all requests.`
    return complain('too_many_inputs', message, null)
  }
}
