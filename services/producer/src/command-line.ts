import { parseArgs } from 'node:util'
import { Failure } from '@pointsman/core/domain/failure'
import { checkIngestOptions, defaultIngestOptions, type IngestOptions } from './ingest-options.ts'
import { readableExtensions } from './read-file.ts'

const mebibyte = 1_048_576

export const usage = `usage: producer PATH... [options]      PATH: a file, a folder, or - for JSON lines on standard input

Reads ${readableExtensions.join(' ')}
and sends what changed since the last run to the documents topic.

  --follow                stay, and send whatever changes, until Ctrl-C. A path need not be there yet
  --estimate              send nothing: count what would be sent. Needs no server
  --run ID                name of this submission
  --json                  events and the report as JSON lines on standard output
  --strict                exit code 1 when anything was rejected
  --rejected-to FILE      every rejection as a JSON line (the report lists the first thousand)
  --no-split              reject texts of more than 8191 tokens instead of splitting any
  --chunk-tokens N        size of a chunk (default ${defaultIngestOptions.chunkTokens})
  --overlap-tokens N      how much of a chunk the next one repeats (default ${defaultIngestOptions.overlapTokens})
  --max-file-mb N         largest file, or line of a .jsonl or .csv (default 50)
  --csv-id-column NAME    column that holds the id (default id)
  --csv-text-column NAME  column that holds the text (default text)
  --only .EXT,.EXT        kinds of files to read in folders; others are left as they are
  --id-prefix TEXT        put before ids that are made from paths
  --keep-missing          texts that are no longer found keep their documents
  --allow-empty           a folder in which nothing is left is no mistake: delete what came from it

Exit codes: 0 done, or told to stop while following, 1 failed, stopped, or rejected with --strict, 2 wrong usage, 3 refused.`

export interface CommandLine {
  readonly paths: readonly string[]
  readonly options: IngestOptions
  readonly json: boolean
  readonly strict: boolean
  readonly estimate: boolean
  readonly follow: boolean
  readonly help: boolean
  readonly rejectedTo: string | undefined
}

const flags = {
  run: { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  estimate: { type: 'boolean' },
  follow: { type: 'boolean' },
  'rejected-to': { type: 'string' },
  'no-split': { type: 'boolean' },
  'chunk-tokens': { type: 'string' },
  'overlap-tokens': { type: 'string' },
  'max-file-mb': { type: 'string' },
  'csv-id-column': { type: 'string' },
  'csv-text-column': { type: 'string' },
  only: { type: 'string' },
  'id-prefix': { type: 'string' },
  'keep-missing': { type: 'boolean' },
  'allow-empty': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' }
} as const

/** @throws {Failure} `USAGE`, naming every problem at once. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: flags,
    allowPositionals: true,
    strict: false,
    tokens: true
  })
  const problems = tokens.flatMap(token => (token.kind === 'option' ? problemsOfOption(token) : []))
  const text = (name: keyof typeof flags): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const options: IngestOptions = {
    run: text('run'),
    split: values['no-split'] !== true,
    chunkTokens: numberOr(text('chunk-tokens'), defaultIngestOptions.chunkTokens),
    overlapTokens: numberOr(text('overlap-tokens'), defaultIngestOptions.overlapTokens),
    maxFileBytes: Math.floor(numberOr(text('max-file-mb'), 50) * mebibyte),
    csvIdColumn: text('csv-id-column'),
    csvTextColumn: text('csv-text-column'),
    only: extensionsOf(text('only')),
    idPrefix: text('id-prefix') ?? '',
    allowEmpty: values['allow-empty'] === true,
    keepMissing: values['keep-missing'] === true
  }
  const help = values.help === true
  if (positionals.length === 0 && !help)
    problems.push('name at least one file or folder, or - for standard input')
  problems.push(...problemsOfOptions(options))
  if (values.follow === true) {
    if (positionals.includes('-'))
      problems.push('--follow is for files and folders: standard input is read until it ends anyway')
    if (values.estimate === true)
      problems.push('--follow sends what changes, --estimate sends nothing: choose one')
    if (values.strict === true) problems.push('--strict is about how a run ends, and with --follow none does')
  }
  if (problems.length > 0 && !help) throw new Failure('USAGE', problems.join('\n'))
  return {
    paths: positionals,
    options,
    json: values.json === true,
    strict: values.strict === true,
    estimate: values.estimate === true,
    follow: values.follow === true,
    help,
    rejectedTo: text('rejected-to')
  }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

function problemsOfOption({ name, rawName, value }: OptionToken): readonly string[] {
  const flag = Object.entries(flags).find(([known]) => known === name)?.[1]
  if (flag === undefined) return [`unknown option ${rawName}`]
  if (flag.type === 'string' && (value === undefined || value === '')) return [`${rawName} needs a value`]
  return flag.type === 'boolean' && value !== undefined ? [`${rawName} takes no value`] : []
}

function extensionsOf(list: string | undefined): ReadonlySet<string> | undefined {
  if (list === undefined || list === '') return undefined
  const names = list.split(',').map(name => name.trim().toLowerCase())
  return new Set(names.map(name => (name.startsWith('.') ? name : `.${name}`)))
}

function numberOr(text: string | undefined, standard: number): number {
  return text === undefined || text === '' ? standard : Number(text)
}

function problemsOfOptions(options: IngestOptions): readonly string[] {
  try {
    checkIngestOptions(options)
    return []
  } catch (error) {
    if (error instanceof Failure) return error.message.split('\n')
    throw error
  }
}
