/** How several rounds of one measurement came out. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** @param digits - after the decimal point. */
export function spreadOf(values: readonly number[], digits = 0): Spread {
  return {
    min: rounded(Math.min(...values), digits),
    median: rounded(medianOf(values), digits),
    max: rounded(Math.max(...values), digits)
  }
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}

export function rounded(value: number, digits: number): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
