// Numbers as people read them. What is not known is a dash, never a zero.

const unknown = '–'
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const oneDigit = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export function formatCount(count: number | null): string {
  return count === null ? unknown : whole.format(count)
}

export function formatRate(perSecond: number | null): string {
  if (perSecond === null) return unknown
  return perSecond < 100 ? oneDigit.format(perSecond) : whole.format(perSecond)
}

/** Two units at most: `47 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return unknown
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export function formatPercent(share: number): string {
  return `${oneDigit.format(share * 100)} %`
}

export function formatUsd(usd: number | null): string {
  if (usd === null) return unknown
  return `$${usd >= 1 ? usd.toFixed(2) : usd.toFixed(4)}`
}

export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
