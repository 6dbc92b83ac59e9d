import { Failure, type FailureCode, policyOf } from '@pointsman/core/domain/failure'
import type { Inspection } from '@pointsman/core/ports/inspection'
import type { ControllerConfig } from '../config.ts'
import type { Lane } from '@pointsman/core/domain/lane'
import { manifestsOf } from '../jobs/manifests.ts'
import type { Parts } from '../parts.ts'
import type { DoctorReport, Finding } from './doctor-report.ts'
import { judgeClock, judgeConfiguration, judgeRedis, judgeWeaviate, ok } from './judge-settings.ts'

export interface DoctorDeps {
  readonly parts: Parts
  readonly config: ControllerConfig
  readonly inspections: { readonly redis: Inspection; readonly weaviate: Inspection }
}

/** Looks at everything once and says what to do about each finding. Makes nothing that a start would not make. */
export async function examine(deps: DoctorDeps, signal: AbortSignal): Promise<DoctorReport> {
  const { parts, config, inspections } = deps
  const { admin, codec, ledger, store, embedder, clock, names } = parts
  const examinations: readonly Promise<readonly Finding[]>[] = [
    Promise.resolve(judgeConfiguration(config)),
    examined('kafka topics', async () => {
      await admin.prepare(config.DOCUMENTS_PARTITIONS, signal)
      const bounds = await admin.bounds()
      return [ok('kafka topics', `${names.documents} has ${bounds.size} partitions and is fit`)]
    }),
    examined('embedder', async () => await lookAtEmbedders(parts)),
    examined('schema registry', async () => {
      await codec.prepare(signal)
      return [ok('schema registry', 'knows our schema')]
    }),
    examined('ledger', async () => {
      const before = clock.nowMs()
      const { nowMs, state } = await ledger.survey()
      const half = (clock.nowMs() - before) / 2
      return [ok('ledger', `id ${state.ledgerId}, epoch ${state.epoch}`), judgeClock(nowMs - before - half)]
    }),
    examined('redis settings', async () => judgeRedis(await inspections.redis.inspect(signal))),
    examined('weaviate collection', async () => {
      await store.prepare(signal)
      await store.check(signal)
      return [
        ok('weaviate collection', `${names.collection} takes vectors of ${store.dimensions} dimensions`)
      ]
    }),
    examined('weaviate settings', async () => judgeWeaviate(await inspections.weaviate.inspect(signal))),
    examined('provider', async () => {
      await embedder.check(signal)
      return [ok('provider', `${new URL(config.OPENAI_BASE_URL).host} knows ${embedder.model}`)]
    })
  ]
  const findings = (await Promise.all(examinations)).flat()
  return { healthy: findings.every(({ severity }) => severity !== 'error'), findings }
}

/** One finding per lane that is needed: that of the partitions, and the batch lane while jobs live. */
async function lookAtEmbedders({ ledger, admin, names }: Parts): Promise<readonly Finding[]> {
  const survey = await ledger.survey()
  const { instances, nowMs, state } = survey
  const lanes = new Set<Lane>([...state.partitions.values()].map(({ lane }) => lane))
  if (lanes.size === 0) lanes.add(state.defaultLane)
  if (manifestsOf(survey).length > 0) lanes.add('batch')
  return await Promise.all(
    [...lanes].map(async lane => {
      const service = `embedder-${lane}`
      const alive = instances.filter(found => found.service === service && found.leaseUntilMs > nowMs)
      if (alive.length > 0) {
        const group = await admin.group(names.groups[lane])
        return ok(
          'embedder',
          `${alive.length} ${service} alive, group ${names.groups[lane]} is ${group.state}`
        )
      }
      const remedy = `start services/${service} with the same settings`
      return {
        check: 'embedder',
        severity: 'warning',
        finding: `no ${service} is alive: documents wait`,
        remedy
      }
    })
  )
}

async function examined(check: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [{ check, severity: 'error', finding: error.message, remedy: remedyFor(error) }]
  }
}

const remedies: Partial<Record<FailureCode, string>> = {
  COLLECTION_MISMATCH: 'use another POINTSMAN_NAMESPACE, or settings that fit the collection that is there',
  EMBED_OUT_OF_FUNDS: 'raise the limit or top up the account at the provider',
  EMBED_REFUSED: 'check OPENAI_API_KEY, EMBEDDING_MODEL and the rights of the key',
  EMBED_UNAVAILABLE: 'check OPENAI_BASE_URL and the way to it',
  LEDGER_FOREIGN:
    'use another POINTSMAN_NAMESPACE or another Redis: this one holds something else under our names',
  LEDGER_UNAVAILABLE: 'check REDIS_URL, and that Redis runs and accepts writes',
  LOG_UNAVAILABLE: 'check KAFKA_BROKERS, and that this user may describe and create topics',
  REGISTRY_UNAVAILABLE: 'check SCHEMA_REGISTRY_URL, with its path',
  SCHEMA_UNKNOWN:
    'the registry holds an incompatible schema for our subject: compare it, or use another namespace',
  STORE_UNAVAILABLE: 'check WEAVIATE_URL and WEAVIATE_GRPC_URL, and disk and memory of the server',
  TOPIC_UNFIT: 'change the settings of the topic as named'
}

function remedyFor(error: Failure): string {
  const [disposition] = policyOf(error)
  return remedies[error.code] ?? (disposition === 'retry' ? 'try again' : 'see docs/operations.md')
}
