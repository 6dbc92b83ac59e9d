import type { Estimate } from '../estimate/estimate.ts'
import type { LaneEstimate } from '../estimate/reckon.ts'
import { clean } from './clean.ts'
import { renderRejections } from './render-rejections.ts'
import { formatCount, formatDuration, formatPercent, formatUsd } from './format.ts'
import { renderPairs, renderTable } from './terminal.ts'

export function renderEstimate({ model, input, indexed, toPay, lanes, notices }: Estimate): string {
  const { distinct } = input
  const pairs: (readonly [string, string])[] = [
    [
      'read',
      `${formatCount(input.documents)} texts in ${formatDuration(input.seconds * 1000)}, ${formatCount(input.unchanged)} unchanged`
    ],
    [
      'to send',
      `${formatCount(input.emitted)} documents (${formatCount(input.chunks)} of them chunks), ${formatCount(input.tokens)} tokens; ${formatCount(input.tombstones)} deletions`
    ],
    ['distinct', `${formatCount(distinct.texts)} texts, ${formatCount(distinct.tokens)} tokens`],
    [
      'in the index',
      indexed ? `${formatCount(indexed.texts)} texts, ${formatCount(indexed.tokens)} tokens` : 'not known'
    ],
    ['to be paid', `${formatCount(toPay.texts)} texts, ${formatCount(toPay.tokens)} tokens, ${clean(model)}`]
  ]
  const { realtime, batch, savingUsd } = lanes
  const jobs = batch.jobs === 1 ? '1 job' : `${formatCount(batch.jobs)} jobs`
  const table = renderTable(
    ['lane', 'cost', 'takes', 'reckoned from'],
    [
      ['realtime', ...rowOf(realtime)],
      [
        'batch',
        formatUsd(batch.usd),
        batch.expectedMs === null
          ? `up to ${formatDuration(batch.atMostMs)}`
          : `${formatDuration(batch.expectedMs)}, at most ${formatDuration(batch.atMostMs)}`,
        `${jobs}, ${batch.basis}`
      ]
    ],
    { right: [1] }
  )
  const share = savingUsd !== null && realtime.usd ? ` (${formatPercent(savingUsd / realtime.usd)})` : ''
  const saving =
    savingUsd === null
      ? 'The price of this model is not known.'
      : `The batch lane saves ${formatUsd(savingUsd)}${share}.`
  const remarks = [...renderRejections(input), ...notices.map(notice => `note: ${clean(notice)}`)]
  return [renderPairs(pairs), '', table, '', saving, ...remarks].join('\n')
}

function rowOf({ usd, expectedMs, basis }: LaneEstimate): string[] {
  return [formatUsd(usd), formatDuration(expectedMs), basis]
}
