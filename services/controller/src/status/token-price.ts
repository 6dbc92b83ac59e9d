/** US dollars per million tokens; undefined where the price is not known. */
export interface Prices {
  readonly realtime: number | undefined
  readonly batch: number | undefined
}

/** As published in July 2026. */
const published: Readonly<Record<string, Prices>> = {
  'text-embedding-3-small': { realtime: 0.02, batch: 0.01 },
  'text-embedding-3-large': { realtime: 0.13, batch: 0.065 },
  'text-embedding-ada-002': { realtime: 0.1, batch: 0.05 }
}

/** @param configured - realtime price of a model that is not in the list; the batch lane is half of it. */
export function pricesOf(model: string, configured: number | undefined): Prices {
  if (configured !== undefined) return { realtime: configured, batch: configured / 2 }
  return published[model] ?? { realtime: undefined, batch: undefined }
}

/** @returns US dollars; undefined when the price is not known. */
export function costOf(tokens: number, usdPerMillionTokens: number | undefined): number | undefined {
  return usdPerMillionTokens === undefined ? undefined : (tokens * usdPerMillionTokens) / 1_000_000
}
