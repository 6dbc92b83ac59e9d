import { describe, expect, test } from 'vitest'
import {
  judgeClock,
  judgeConfiguration,
  judgeRedis,
  judgeWeaviate
} from '../../../services/controller/src/doctor/judge-settings.ts'

const local = {
  KAFKA_BROKERS: ['127.0.0.1:9092'],
  KAFKA_TLS: false,
  SCHEMA_REGISTRY_URL: 'http://localhost:8081',
  REDIS_URL: 'redis://127.0.0.1:6379',
  WEAVIATE_URL: 'http://[::1]:8080',
  WEAVIATE_API_KEY: undefined,
  OPENAI_BASE_URL: 'https://api.openai.com/v1',
  POINTSMAN_API_TOKEN: 'a-token-of-the-test'
}

describe('configuration', () => {
  test('everything on this computer needs no protection', () => {
    expect(judgeConfiguration(local)).toMatchObject([{ severity: 'ok' }])
  })

  test('every remote peer without TLS is named, and no secret with it', () => {
    const findings = judgeConfiguration({
      ...local,
      KAFKA_BROKERS: ['127.0.0.1:9092', 'kafka.example:9092'],
      REDIS_URL: 'redis://user:secret-word@redis.example:6379',
      WEAVIATE_URL: 'http://weaviate.example',
      OPENAI_BASE_URL: 'http://provider.example/v1',
      POINTSMAN_API_TOKEN: undefined
    })
    expect(findings.map(({ check }) => check)).toEqual([
      'kafka connection',
      'redis connection',
      'weaviate connection',
      'provider connection',
      'weaviate access',
      'api token'
    ])
    expect(JSON.stringify(findings)).not.toContain('secret-word')
    expect(findings.every(({ severity, remedy }) => severity === 'warning' && remedy !== null)).toBe(true)
  })
})

describe('Redis', () => {
  test('durable settings are fine', () => {
    const settings = {
      redis_version: '7.0.15',
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction'
    }
    expect(judgeRedis(new Map(Object.entries(settings))).every(({ severity }) => severity === 'ok')).toBe(
      true
    )
  })

  test('eviction is an error, lost writes are a warning, and what cannot be asked is said', () => {
    const findings = judgeRedis(
      new Map(Object.entries({ appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' }))
    )
    expect(findings).toMatchObject([
      { check: 'redis version', finding: 'not told' },
      { check: 'redis appendonly', severity: 'warning', remedy: 'CONFIG SET appendonly yes' },
      { check: 'redis appendfsync', severity: 'warning', finding: 'not known' },
      { check: 'redis maxmemory-policy', severity: 'error' }
    ])
  })
})

describe('Weaviate', () => {
  test.each([
    ['1.38.10', 'ok'],
    ['1.38.11', 'ok'],
    ['1.39.1', 'ok'],
    ['2.0.0', 'ok'],
    ['1.38.9', 'warning'],
    ['1.36.23', 'warning'],
    ['1.39.0', 'warning'],
    ['', 'warning']
  ])('version %s is judged %s', (version, severity) => {
    expect(judgeWeaviate(new Map([['version', version]]))).toMatchObject([{ severity }])
  })

  test('read-only shards and a vectorizer are found', () => {
    const settings = { version: '1.38.11', vectorizer: 'text2vec-openai', readOnlyShards: '1' }
    const findings = judgeWeaviate(new Map(Object.entries(settings)))
    expect(findings.map(({ severity }) => severity)).toEqual(['ok', 'warning', 'error'])
  })
})

test.each([
  [-400, 'ok'],
  [1500, 'warning'],
  [-90_000, 'error']
])('clocks that are %i ms apart are judged %s', (skewMs, severity) => {
  expect(judgeClock(skewMs)).toMatchObject({ check: 'clock skew', severity })
})
