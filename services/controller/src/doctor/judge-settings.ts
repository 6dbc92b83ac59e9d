import type { ControllerConfig } from '../config.ts'
import type { Finding } from './doctor-report.ts'

type Peers = Pick<
  ControllerConfig,
  | 'KAFKA_BROKERS'
  | 'KAFKA_TLS'
  | 'SCHEMA_REGISTRY_URL'
  | 'REDIS_URL'
  | 'WEAVIATE_URL'
  | 'WEAVIATE_API_KEY'
  | 'OPENAI_BASE_URL'
  | 'POINTSMAN_API_TOKEN'
>

/** What the configuration itself gives away: peers reached over a network without protection. Pure. */
export function judgeConfiguration(config: Peers): readonly Finding[] {
  const findings: Finding[] = []
  const remoteBrokers = config.KAFKA_BROKERS.filter(broker => !isLocal(`kafka://${broker}`))
  if (remoteBrokers.length > 0 && !config.KAFKA_TLS) {
    findings.push(
      warning('kafka connection', `${remoteBrokers.join(', ')} without TLS`, 'set KAFKA_TLS=true')
    )
  }
  const urls = [
    ['schema registry connection', config.SCHEMA_REGISTRY_URL, 'https:', 'an https SCHEMA_REGISTRY_URL'],
    ['redis connection', config.REDIS_URL, 'rediss:', 'a rediss:// REDIS_URL'],
    ['weaviate connection', config.WEAVIATE_URL, 'https:', 'an https WEAVIATE_URL and WEAVIATE_GRPC_URL'],
    [
      'provider connection',
      config.OPENAI_BASE_URL,
      'https:',
      'an https OPENAI_BASE_URL: the key goes with every call'
    ]
  ] as const
  for (const [check, url, wanted, remedy] of urls) {
    const { protocol, host } = new URL(url)
    if (protocol !== wanted && !isLocal(url))
      findings.push(warning(check, `${host} without TLS`, `use ${remedy}`))
  }
  if (!isLocal(config.WEAVIATE_URL) && config.WEAVIATE_API_KEY === undefined) {
    findings.push(warning('weaviate access', 'anonymous access to a remote server', 'set WEAVIATE_API_KEY'))
  }
  if (config.POINTSMAN_API_TOKEN === undefined) {
    const remedy = 'set POINTSMAN_API_TOKEN for the controller and the command line'
    findings.push(warning('api token', 'whoever can log in here can pause and replay', remedy))
  }
  if (findings.length === 0) findings.push(ok('configuration', 'no peer is reached without protection'))
  return findings
}

/** @param settings - as `adapters/redis/inspection.ts` names them. */
export function judgeRedis(settings: ReadonlyMap<string, string>): readonly Finding[] {
  const findings: Finding[] = [ok('redis version', settings.get('redis_version') ?? 'not told')]
  const expectations = [
    ['appendonly', 'yes', 'a restart of Redis loses the ledger'],
    ['appendfsync', 'always', 'a power failure loses the last transitions of the ledger'],
    ['maxmemory-policy', 'noeviction', 'under memory pressure Redis throws parts of the ledger away']
  ] as const
  for (const [name, wanted, danger] of expectations) {
    const value = settings.get(name)
    const check = `redis ${name}`
    if (value === wanted) findings.push(ok(check, value))
    else if (value === undefined) {
      const remedy = `make sure that it is ${wanted}; Redis does not let this user read its configuration`
      findings.push(warning(check, 'not known', remedy))
    } else {
      const severity = name === 'maxmemory-policy' ? 'error' : 'warning'
      findings.push({
        check,
        severity,
        finding: `${value}: ${danger}`,
        remedy: `CONFIG SET ${name} ${wanted}`
      })
    }
  }
  return findings
}

const minWeaviate = [1, 38, 10] as const
/** Later, and without the correction. */
const badWeaviate = '1.39.0'

/** @param settings - as `adapters/weaviate/inspection.ts` names them. */
export function judgeWeaviate(settings: ReadonlyMap<string, string>): readonly Finding[] {
  const findings: Finding[] = []
  const version = settings.get('version') ?? 'not told'
  const remedy = `run ${minWeaviate.join('.')} or later, not ${badWeaviate}: the others may acknowledge what they did not store`
  findings.push(
    isDoubtful(version) ? warning('weaviate version', version, remedy) : ok('weaviate version', version)
  )
  if (settings.get('vectorizer') !== undefined && settings.get('vectorizer') !== 'none') {
    const told = `the collection has the vectorizer ${settings.get('vectorizer')}`
    findings.push(
      warning('weaviate collection', told, 'make it anew without one: Pointsman brings the vectors')
    )
  }
  const shards = settings.get('readOnlyShards')
  if (shards !== undefined && shards !== '0') {
    findings.push({
      check: 'weaviate shards',
      severity: 'error',
      finding: `${shards} read-only: nothing can be stored`,
      remedy: 'free disk space or memory; the shards come back by themselves'
    })
  }
  return findings
}

const skewWarnMs = 1000
const skewErrorMs = 60_000

/** @param skewMs - the ledger's clock minus ours. */
export function judgeClock(skewMs: number): Finding {
  const told = `${Math.round(skewMs)} ms between this computer and Redis`
  if (Math.abs(skewMs) < skewWarnMs) return ok('clock skew', told)
  const severity = Math.abs(skewMs) < skewErrorMs ? 'warning' : 'error'
  return {
    check: 'clock skew',
    severity,
    finding: told,
    remedy: 'synchronise the clocks (ntp): ages are wrong'
  }
}

export function ok(check: string, told: string): Finding {
  return { check, severity: 'ok', finding: told, remedy: null }
}

function warning(check: string, told: string, remedy: string): Finding {
  return { check, severity: 'warning', finding: told, remedy }
}

function isLocal(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}

function isDoubtful(version: string): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number)
  if (numbers === undefined || version === badWeaviate) return true
  for (const [index, least] of minWeaviate.entries()) {
    const number = numbers[index] ?? 0
    if (number !== least) return number < least
  }
  return false
}
