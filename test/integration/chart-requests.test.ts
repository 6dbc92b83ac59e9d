// What the chart asks of others: metrics, the controller, networks; and what it refuses.

import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../../services/controller/src/config.ts'
import { lagReport } from '../../services/controller/src/lag/lag-report.ts'
import { renderChart } from '../../tools/chart/chart-tools.ts'
import { checkObjects } from '../../tools/chart/check-objects.ts'
import { kubernetesVersions, schemaFiles } from '../../tools/chart/schema-files.ts'
import { expectKnownQuery } from '../support/expect-known-query.ts'
import {
  compileMs,
  environmentOf,
  everything,
  minimal,
  prometheus,
  renderedChart,
  scaledObject
} from '../support/rendered-chart.ts'

const chart = renderedChart()
const { objectsOf } = chart

describe('autoscaling', () => {
  test('asks the controller for what is unread in the lane, under a name that it answers to, with its token', () => {
    const objects = objectsOf(everything)
    const [{ env }] = objects.deployment('controller').spec.template.spec.containers
    const { CONTROLLER_ALLOWED_HOSTS, CONTROLLER_PORT } = loadConfig(environmentOf(env))
    const tokenKey = env.find(({ name }) => name === 'POINTSMAN_API_TOKEN')?.valueFrom?.secretKeyRef
    const triggers = objects.of('ScaledObject').map(({ spec }) => scaledObject.parse(spec).triggers[0])
    expect(triggers).toHaveLength(2)
    for (const { type, metadata, authenticationRef } of triggers) {
      expect(type).toBe('metrics-api')
      const url = new URL(metadata['url'] ?? '')
      expect(CONTROLLER_ALLOWED_HOSTS).toContain(url.hostname)
      expect(url.port).toBe(String(CONTROLLER_PORT))
      expect(url.pathname).toBe('/v1/lag')
      const [field, lane] = (metadata['valueLocation'] ?? '').split('.')
      expect(field).toBe('unreadByLane')
      expect(Object.keys(lagReport.shape.unreadByLane.shape)).toContain(lane)
      const authentication = objects
        .of('TriggerAuthentication')
        .find(object => object.metadata.name === authenticationRef.name)
      expect(authentication?.spec['secretTargetRef']).toEqual([
        { parameter: 'token', name: tokenKey?.name, key: tokenKey?.key }
      ])
    }
    expect(triggers.map(({ metadata }) => metadata['targetValue'])).toEqual(['1000000', '100000'])
  })

  test('asks Prometheus only for metrics that there are', async () => {
    const triggers = objectsOf(prometheus)
      .of('ScaledObject')
      .map(({ spec }) => scaledObject.parse(spec).triggers[0])
    expect(triggers).toHaveLength(2)
    for (const { type, metadata, authenticationRef } of triggers) {
      expect(type).toBe('prometheus')
      expect(authenticationRef.name).toBe('prometheus')
      await expectKnownQuery(metadata['query'] ?? '')
    }
  })
})

test('alerts ask only for metrics that there are', async () => {
  const rules = z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) }))
  })
  const expressions = objectsOf(everything)
    .of('PrometheusRule')
    .flatMap(({ spec }) => rules.parse(spec).groups)
    .flatMap(group => group.rules.map(({ expr }) => expr))
  expect(expressions).toHaveLength(7)
  for (const expression of expressions) await expectKnownQuery(expression)
})

describe('networks', () => {
  const peers = z.array(z.object({ to: z.array(z.unknown()).min(1) }))

  test('let nothing out but to places that are named', () => {
    const policies = objectsOf(everything).of('NetworkPolicy')
    expect(policies).toHaveLength(4)
    for (const { spec } of policies) expect(peers.parse(spec['egress']).length).toBeGreaterThan(0)
  })

  test('do not let the producer to the ledger, the index and the provider', () => {
    const egress = objectsOf(everything)
      .of('NetworkPolicy')
      .flatMap(({ metadata, spec }) =>
        metadata.name.endsWith('-producer') ? peers.parse(spec['egress']) : []
      )
    expect(egress).toHaveLength(3)
  })

  test('are refused while a place is not named', async () => {
    await expect(renderChart(chart.tools.helm, minimal, ['networkPolicy.enabled=true'])).rejects.toThrow(
      'networkPolicy.egress.kafka.to must name where it is'
    )
  })
})

describe('values that cannot work are refused', () => {
  test.each([
    ['a setting that nobody knows', 'config.KAFKA_BROKER=kafka:9092', /KAFKA_BROKER/],
    ['no embedder', 'embedderRealtime.autoscaling.min=0', /autoscaling/],
    ['a server that is not named', 'config.WEAVIATE_URL=null', /WEAVIATE_URL/],
    ['a secret that is nowhere', 'secrets.existing=', /REDIS_URL of \S+ is in no Secret/],
    [
      'a token that the controller refuses',
      'secrets.values.POINTSMAN_API_TOKEN=short',
      /POINTSMAN_API_TOKEN/
    ],
    ['a producer without documents', 'producer.enabled=true', /producer\.documents must be a volume/]
  ])('%s', async (_, setting, reason) => {
    await expect(renderChart(chart.tools.helm, minimal, [setting])).rejects.toThrow(reason)
  })
})

test(
  'the check of objects finds mistakes in those of Kubernetes, of KEDA and of the Prometheus Operator',
  async () => {
    const { signal } = new AbortController()
    const schemas = await schemaFiles(process.env, signal)
    const objects = await renderChart(chart.tools.helm, everything)
    const mistaken = objects
      .replace('kind: PodDisruptionBudget', 'kind: PodDisruptionBudget\nspecs: {}')
      .replace('minReplicaCount:', 'minReplicas:')
      .replace('honorLabels: true', 'honorLabels: perhaps')
    const [version] = kubernetesVersions
    const { ok, said } = await checkObjects(chart.tools.kubeconform, schemas, version, mistaken, signal)
    expect(ok).toBe(false)
    expect(said).toContain('Invalid: 3, Errors: 0, Skipped: 0')
  },
  compileMs
)
