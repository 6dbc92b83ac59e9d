import { Failure } from '@pointsman/core/domain/failure'
import type { Command } from 'commander'
import { z } from 'zod'
import { BillOfTexts } from '../../estimate/bill-of-texts.ts'
import { defaultBasis } from '../../estimate/default-basis.ts'
import { type Estimate, estimatedInput } from '../../estimate/estimate.ts'
import { type EstimateBasis, estimateBasis } from '../../estimate/estimate-basis.ts'
import { reckon } from '../../estimate/reckon.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { formatCount } from '../format.ts'
import { LiveLine } from '../live-line.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderEstimate } from '../render-estimate.ts'
import { runProducer, withoutReport } from '../run-producer.ts'
import { jsonFlag } from './options.ts'

const answerMs = 30_000

const textsEvent = z.looseObject({
  event: z.literal('texts'),
  texts: z.array(z.tuple([z.string(), z.number(), z.number()]))
})
const progress = z.looseObject({ event: z.literal('progress'), documents: z.int(), emitted: z.int() })
const indexedAnswer = z.object({ indexed: z.array(z.boolean()) })

export function addEstimateCommand(program: Command, context: CliContext): void {
  program
    .command('estimate')
    .description(
      'what ingesting would cost, and how long it would take, in both lanes; sends and pays nothing'
    )
    .argument('<path...>', 'files, folders, or - for documents as JSON lines on standard input')
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nLeaves out what was sent before and is unchanged, and texts that are in the index already.' +
        '\nNeeds no server: what it could not take into account without one is said.' +
        '\nOptions of the producer follow two dashes, as for ingest.' +
        '\n\nExample:\n  pointsman estimate ./docs -- --chunk-tokens 200'
    )
    .action(async (paths: string[], options: OutputOptions) => {
      const estimate = await askEstimate(context, paths)
      print(context, options, estimate, renderEstimate)
      if (estimate.input.stopped)
        throw new CliError(exitCodes.failed, 'INTERRUPTED', 'stopped before the end')
    })
}

async function askEstimate(context: CliContext, paths: readonly string[]): Promise<Estimate> {
  const notices: string[] = []
  const { basis, isReachable } = await loadBasis(context, notices)
  const live = new LiveLine(context.terminal)
  const bill = new BillOfTexts(basis.batch)
  const known = { texts: 0, tokens: 0 }
  let isAsking = isReachable
  let input: Estimate['input'] | undefined

  const exitCode = await runProducer(context, ['--estimate', ...paths], async event => {
    const ended = estimatedInput.safeParse(event)
    if (ended.success) input = ended.data
    const goes = progress.safeParse(event)
    if (goes.success) {
      live.show(
        `${formatCount(goes.data.documents)} texts read, ${formatCount(goes.data.emitted)} documents to send`
      )
    }
    const met = textsEvent.safeParse(event)
    if (!met.success) return
    const indexed = isAsking ? await askIndexed(context, met.data.texts, notices) : undefined
    isAsking = indexed !== undefined
    for (const [index, [, tokens, lineBytes]] of met.data.texts.entries()) {
      if (indexed?.[index] !== true) bill.add(tokens, lineBytes)
      else {
        known.texts += 1
        known.tokens += tokens
      }
    }
  })
  live.clear()
  if (!input) throw withoutReport(exitCode)
  return {
    model: basis.model,
    input,
    indexed: isReachable && (isAsking || known.texts > 0) ? known : null,
    toPay: bill.total,
    lanes: reckon(bill.total, basis),
    notices: [...notices, ...input.notices]
  }
}

async function loadBasis(
  { api, within, env, runFile }: CliContext,
  notices: string[]
): Promise<{ readonly basis: EstimateBasis; readonly isReachable: boolean }> {
  try {
    return {
      basis: await api.get('/v1/estimate/basis', estimateBasis, within(answerMs)),
      isReachable: true
    }
  } catch (error) {
    if (!(error instanceof CliError) || error.code === 'INTERRUPTED') throw error
    notices.push(
      `${error.message}: texts that are in the index already are counted as to be paid, and durations are not measured`
    )
  }
  try {
    return { basis: defaultBasis({ EMBEDDING_MODEL: runFile?.model, ...env }), isReachable: false }
  } catch (error) {
    if (error instanceof Failure) throw new CliError(exitCodes.usage, error.code, error.message)
    throw error
  }
}

/** @returns undefined when it cannot be asked any more. */
async function askIndexed(
  { api, within }: Pick<CliContext, 'api' | 'within'>,
  texts: z.output<typeof textsEvent>['texts'],
  notices: string[]
): Promise<readonly boolean[] | undefined> {
  try {
    const textHashes = texts.map(([hash]) => hash)
    return (await api.post('/v1/estimate/indexed', { textHashes }, indexedAnswer, within(answerMs))).indexed
  } catch (error) {
    if (!(error instanceof CliError) || error.code === 'INTERRUPTED') throw error
    notices.push(
      `${error.message}: from there on, texts that are in the index already are counted as to be paid`
    )
    return undefined
  }
}
