const blocks = '▁▂▃▄▅▆▇█'

/** A curve in one line of text, from zero to the highest value. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, 1)
  return values.map(value => blocks.charAt(Math.round((value / highest) * (blocks.length - 1)))).join('')
}
