/** US dollars per million tokens in the realtime lane, as published in July 2026. */
const usdPerMillionTokens: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 0.02,
  'text-embedding-3-large': 0.13,
  'text-embedding-ada-002': 0.1
}

/** @returns US dollars; undefined for a model whose price is not known. */
export function costOf(
  tokens: number,
  model: string,
  configuredUsdPerMillion: number | undefined
): number | undefined {
  const usdPerMillion = configuredUsdPerMillion ?? usdPerMillionTokens[model]
  return usdPerMillion === undefined ? undefined : (tokens * usdPerMillion) / 1_000_000
}
