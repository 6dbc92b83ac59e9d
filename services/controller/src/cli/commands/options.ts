import { InvalidArgumentError, Option } from 'commander'

export function jsonFlag(): Option {
  return new Option('--json', 'print JSON instead of text')
}

/** For a number from `min` to `max`. */
export function parseCount(min: number, max: number): (text: string) => number {
  return text => {
    const count = Number(text)
    if (/^\d+$/.test(text) && count >= min && count <= max) return count
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

/** `30s`, `10m`, `2h` as milliseconds. */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? []
  const unitMs = unit === undefined ? undefined : units[unit]
  if (digits === undefined || unitMs === undefined) {
    throw new InvalidArgumentError('It must be a number with s, m or h, like 30s or 10m.')
  }
  return Number(digits) * unitMs
}

/** `25%` or `0.25`, above 0 and at most 1. */
export function parseShare(text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text) ?? []
  const share = Number(digits) / (percent === '%' ? 100 : 1)
  if (share > 0 && share <= 1) return share
  throw new InvalidArgumentError('It must be a share above 0 and at most 1, like 25% or 0.25.')
}
