import { parseEnv } from '@pointsman/core/runtime/env'
import { batchSettings, providerSettings } from '@pointsman/core/runtime/settings'
import { z } from 'zod'
import { pricesOf } from '../status/token-price.ts'
import { basisOf, type EstimateBasis, estimateSettingsOf } from './estimate-basis.ts'
import { reckoningSettings } from './reckoning-settings.ts'

const schema = z.object({
  ...batchSettings,
  ...reckoningSettings,
  EMBEDDING_MODEL: providerSettings.EMBEDDING_MODEL
})

/**
 * What can be reckoned from without a controller: settings, and the published prices.
 * @throws {Failure} `CONFIG_INVALID`, naming every problem at once.
 */
export function defaultBasis(env: Readonly<Record<string, string | undefined>>): EstimateBasis {
  const settings = parseEnv(schema, env)
  return basisOf({
    model: settings.EMBEDDING_MODEL,
    prices: pricesOf(settings.EMBEDDING_MODEL, settings.EMBEDDING_USD_PER_MILLION_TOKENS),
    settings: estimateSettingsOf(settings),
    documentsPerSecond: null,
    pastJobs: []
  })
}
