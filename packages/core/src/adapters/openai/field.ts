// Looks into answers whose shape is not to be relied upon: what is not there, or is of another kind, is undefined.

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Undefined for an empty text too: providers write `""` where they mean nothing. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Also a number that was written as a text. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() !== '') return numberOf(Number(value))
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A time in seconds since 1970, or as a text with a date. */
export function timeMsOf(value: unknown): number | undefined {
  const seconds = numberOf(value)
  if (seconds !== undefined) return seconds * 1_000
  const parsedMs = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(parsedMs) ? undefined : parsedMs
}

/** What an error says: OpenAI's envelope, `{"detail": ...}`, `{"message": ...}` or just a text. */
export function messageIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return textOf(value)
  for (const name of ['error', 'message', 'detail']) {
    const message = messageIn(fieldOf(value, name))
    if (message !== undefined) return message
  }
  return undefined
}
