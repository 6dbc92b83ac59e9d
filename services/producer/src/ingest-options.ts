import { Failure } from '@pointsman/core/domain/failure'
import { readableExtensions } from './read-file.ts'
import type { SplitOptions } from './split-text.ts'

export interface IngestOptions extends SplitOptions {
  /** Names the submission in events and report. */
  readonly run: string | undefined
  /** False: a text that is not one document of at most 8191 tokens is rejected. */
  readonly split: boolean
  /** Of one file that is read whole, or of one record of a file that is streamed. */
  readonly maxFileBytes: number
  readonly csvIdColumn: string | undefined
  readonly csvTextColumn: string | undefined
  /** Extensions, with their dot, to which folders are narrowed; what has another is left as it is. */
  readonly only: ReadonlySet<string> | undefined
  /** Put before ids that are made from paths. */
  readonly idPrefix: string
  /** Take a root in which nothing is found any more at its word, and delete all that came from it. */
  readonly allowEmpty: boolean
  /** Sources that are no longer there keep their documents. */
  readonly keepMissing: boolean
}

export const defaultIngestOptions: IngestOptions = {
  run: undefined,
  split: true,
  chunkTokens: 400,
  overlapTokens: 60,
  maxFileBytes: 50 * 1_048_576,
  csvIdColumn: undefined,
  csvTextColumn: undefined,
  only: undefined,
  idPrefix: '',
  allowEmpty: false,
  keepMissing: false
}

/** @throws {Failure} `USAGE` naming every problem. */
export function checkIngestOptions({
  chunkTokens,
  overlapTokens,
  maxFileBytes,
  idPrefix,
  only
}: IngestOptions): void {
  const problems = [
    ...(isBetween(chunkTokens, 16, 8000) ? [] : ['--chunk-tokens must be an integer from 16 to 8000']),
    ...(isBetween(overlapTokens, 0, Math.floor(chunkTokens / 2))
      ? []
      : ['--overlap-tokens must be an integer from 0 to half of --chunk-tokens']),
    ...(isBetween(maxFileBytes, 1, 512 * 1_048_576) ? [] : ['--max-file-mb must be above 0 and at most 512']),
    ...[...(only ?? [])]
      .filter(extension => !readableExtensions.includes(extension))
      .map(extension => `--only: files of kind ${extension} are not read`),
    ...(idPrefix.split(/[/\\]/).includes('..') ? ['--id-prefix must not hold a ".." segment'] : [])
  ]
  if (problems.length > 0) throw new Failure('USAGE', problems.join('\n'))
}

function isBetween(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max
}
