/** A duration as Go prints it, which is what the rate-limit headers hold: `0s`, `12ms`, `2.812s`, `6m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
  const whole = Math.floor(ms)
  if (whole === 0) return '0s'
  if (whole < 1000) return `${whole}ms`
  const hours = Math.floor(whole / 3_600_000)
  const minutes = Math.floor((whole % 3_600_000) / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
