import type { Clock } from '@pointsman/core/ports/clock'
import { textHash } from '@pointsman/core/runtime/identity'
import { countTokens } from './count-tokens.ts'
import type { Chunk } from './plan-emission.ts'

export interface SplitOptions {
  /** Wanted size of a chunk. */
  readonly chunkTokens: number
  /** How much of the end of a chunk the next one repeats. */
  readonly overlapTokens: number
}

/** What is split at one go: the splitter's work and memory grow with it. */
const blockLength = 65_536

/** No piece of so many characters is worth counting exactly to learn that it must be split. */
const surelyLongPerToken = 24

/**
 * Splits a text, along headings and fences where it is Markdown, else along paragraphs, lines and words. Deterministic.
 * Never blocks for longer than one block takes.
 * @throws the signal's reason
 */
export async function splitText(
  text: string,
  markdown: boolean,
  options: SplitOptions,
  clock: Clock,
  signal: AbortSignal
): Promise<readonly Chunk[]> {
  const splitter = await openSplitter(markdown, options)
  const chunks: string[] = []
  // The last piece of a block is split again with the next one, so that blocks leave no seam.
  let carried = ''
  for (const block of blocksOf(text)) {
    const pieces = await splitter(carried + block)
    carried = pieces.pop() ?? ''
    for (const piece of pieces) chunks.push(piece)
    await clock.sleep(0, signal)
  }
  if (carried !== '') chunks.push(carried)
  return chunks.map(piece => ({ text: piece, textHash: textHash(piece), tokens: countTokens(piece) }))
}

async function openSplitter(
  markdown: boolean,
  { chunkTokens, overlapTokens }: SplitOptions
): Promise<(text: string) => Promise<string[]>> {
  // Loaded when first needed: most JSONL lines fit one chunk.
  const { MarkdownTextSplitter, RecursiveCharacterTextSplitter } = await import('@langchain/textsplitters')
  const counted = new Map<string, number>()
  const lengthFunction = (piece: string): number => {
    if (piece.length > chunkTokens * surelyLongPerToken) return piece.length
    const known = counted.get(piece)
    if (known !== undefined) return known
    const tokens = countTokens(piece)
    counted.set(piece, tokens)
    return tokens
  }
  const fields = { chunkSize: chunkTokens, chunkOverlap: overlapTokens, lengthFunction }
  const splitter = markdown ? new MarkdownTextSplitter(fields) : new RecursiveCharacterTextSplitter(fields)
  return async text => {
    counted.clear()
    const pieces = await splitter.splitText(text)
    return pieces.map(piece => piece.toWellFormed().trim()).filter(piece => piece !== '')
  }
}

/** Cuts at the last paragraph, line or word that ends within the block. */
function* blocksOf(text: string): Generator<string> {
  let from = 0
  while (text.length - from > blockLength) {
    const limit = from + blockLength
    const cut = ['\n\n', '\n', ' ']
      .map(end => text.lastIndexOf(end, limit))
      .find(at => at > from + blockLength / 2)
    const to = cut ?? (isLowSurrogate(text.charCodeAt(limit)) ? limit - 1 : limit)
    yield text.slice(from, to)
    from = to
  }
  yield text.slice(from)
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
