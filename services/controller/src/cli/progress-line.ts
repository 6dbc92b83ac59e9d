import { formatCount, formatDuration, formatPercent, formatRate, formatUsd } from './format.ts'

export interface Progress {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly perSecond: number | null
  readonly etaMs: number | null
  readonly usd: number | null
}

/** `136/253 (53.8 %) | failed 12 | 2.5 docs/s | ETA 47 s | $0.0021`; what is not known is left out. */
export function progressLine({ done, total, failed, perSecond, etaMs, usd }: Progress): string {
  const share = total === 0 ? 1 : done / total
  return [
    `${formatCount(done)}/${formatCount(total)} (${formatPercent(share)})`,
    ...(failed > 0 ? [`failed ${formatCount(failed)}`] : []),
    ...(perSecond === null ? [] : [`${formatRate(perSecond)} docs/s`]),
    ...(etaMs === null || done >= total ? [] : [`ETA ${formatDuration(etaMs)}`]),
    ...(usd === null ? [] : [formatUsd(usd)])
  ].join(' | ')
}
