import { rounded } from './spread.ts'

/** By nearest rank. */
export interface Quantiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Of those that are finite; undefined of none. @param digits - after the decimal point. */
export function quantilesOf(values: readonly number[], digits = 0): Quantiles | undefined {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const at = (share: number): number =>
    rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN, digits)
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
