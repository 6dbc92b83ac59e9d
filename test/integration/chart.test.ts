// Whether the objects that the chart is rendered to fit each other, the images, and the settings of the services. Whether
// they are valid is `npm run check:helm`.

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig as controllerConfig } from '../../services/controller/src/config.ts'
import { loadConfig as batchConfig } from '../../services/embedder-batch/src/config.ts'
import { loadConfig as realtimeConfig } from '../../services/embedder-realtime/src/config.ts'
import { loadConfig as producerConfig } from '../../services/producer/src/config.ts'
import { chartFolder, release, renderChart } from '../../tools/chart/chart-tools.ts'
import { KubernetesObjects } from '../support/kubernetes-objects.ts'
import {
  environmentOf,
  everything,
  minimal,
  prometheus,
  renderedChart,
  scaledObject
} from '../support/rendered-chart.ts'

const root = join(import.meta.dirname, '../..')
const chart = renderedChart()
const { objectsOf } = chart

const configs = {
  controller: controllerConfig,
  'embedder-realtime': realtimeConfig,
  'embedder-batch': batchConfig,
  producer: producerConfig
}
type Service = keyof typeof configs
const services: readonly Service[] = ['controller', 'embedder-realtime', 'embedder-batch', 'producer']

/** Read by Node and the C library. */
const notOurs = new Set(['NODE_EXTRA_CA_CERTS', 'MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'TZ'])

/** Those of the schema of values are held against the services by a unit test. */
async function namesOfSettings(): Promise<ReadonlySet<string>> {
  const schema = await readFile(join(chartFolder, 'values.schema.json'), 'utf8')
  const names = schema.match(/"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+"/g) ?? []
  const decided = 'HEALTH_HOST HEALTH_PORT CONTROLLER_HOST CONTROLLER_PORT CONTROLLER_ALLOWED_HOSTS'.split(
    ' '
  )
  const own = ['POINTSMAN_INSTANCE', 'BATCH_SPOOL_DIR', 'POINTSMAN_STATE_DIR']
  return new Set([...names.map(name => name.slice(1, -1)), ...decided, ...own])
}

describe.each([minimal, everything, prometheus].map(values => [basename(values), values] as const))(
  'with %s',
  (_, values) => {
    const present = values === minimal ? services.slice(0, 3) : services

    test('every service has a deployment, of an image that the Dockerfile builds', async () => {
      const { deployments } = objectsOf(values)
      expect(deployments).toHaveLength(present.length)
      const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
      for (const { metadata, spec } of deployments) {
        const [{ image, name }] = spec.template.spec.containers
        expect(image).toMatch(new RegExp(`pointsman/${name}:[\\w.-]+$`))
        expect(metadata.name.endsWith(`-${name}`)).toBe(true)
        expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${name}$`, 'm'))
      }
    })

    test.each(present)(
      '%s accepts the environment of its pod, of which it knows every variable',
      async service => {
        const [{ env, ports }] = objectsOf(values).deployment(service).spec.template.spec.containers
        const config = configs[service](environmentOf(env))
        expect(config.POINTSMAN_INSTANCE).toBeDefined()
        const names = env.map(({ name }) => name)
        expect(new Set(names).size).toBe(names.length)
        const known = await namesOfSettings()
        const foreign = names.filter(name => !known.has(name) && !notOurs.has(name))
        expect(foreign).toEqual([])
        const port = 'CONTROLLER_PORT' in config ? config.CONTROLLER_PORT : config.HEALTH_PORT
        expect(ports).toEqual([expect.objectContaining({ containerPort: port })])
      }
    )

    test('a pod is asked whether it lives and is ready at a port that it has', () => {
      for (const { spec } of objectsOf(values).deployments) {
        const [{ ports, startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers
        const names = ports.map(({ name }) => name)
        for (const probe of [startupProbe, livenessProbe]) expect(probe.httpGet.path).toBe('/healthz')
        expect(readinessProbe.httpGet.path).toBe('/readyz')
        for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
          expect(names).toContain(probe.httpGet.port)
        }
      }
    })

    test('pods can do nothing but their work', () => {
      for (const { spec } of objectsOf(values).deployments) {
        const { automountServiceAccountToken, containers, securityContext } = spec.template.spec
        expect(automountServiceAccountToken).toBe(false)
        expect(securityContext).toMatchObject({
          runAsNonRoot: true,
          runAsUser: 65_532,
          seccompProfile: { type: 'RuntimeDefault' }
        })
        expect(containers[0].securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] }
        })
      }
    })

    test('every folder that a service writes to is a volume', () => {
      for (const service of present) {
        const { containers, volumes } = objectsOf(values).deployment(service).spec.template.spec
        const [{ env, volumeMounts }] = containers
        const writable = volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath)
        const folders = env.filter(({ name }) => /_(SPOOL|STATE)_DIR$/.test(name)).map(({ value }) => value)
        expect(writable).toEqual(expect.arrayContaining(['/tmp', ...folders]))
        const names = volumes.map(({ name }) => name)
        expect(volumeMounts.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
      }
    })

    test('a pod has the time that its service takes to stop', () => {
      for (const service of present) {
        const { containers, terminationGracePeriodSeconds } =
          objectsOf(values).deployment(service).spec.template.spec
        const { SHUTDOWN_GRACE_MS } = configs[service](environmentOf(containers[0].env))
        const leavingMs = service.startsWith('embedder-') ? 10_000 : service === 'controller' ? 5000 : 0
        expect(terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(
          SHUTDOWN_GRACE_MS + leavingMs + 1000
        )
      }
    })

    test('each service gets its own secrets and no others', () => {
      const secretsOf = (service: Service): readonly string[] => {
        const [{ env }] = objectsOf(values).deployment(service).spec.template.spec.containers
        return env.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined).map(({ name }) => name)
      }
      expect(secretsOf('controller')).toEqual(
        expect.arrayContaining(['REDIS_URL', 'OPENAI_API_KEY', 'POINTSMAN_API_TOKEN'])
      )
      for (const embedder of ['embedder-realtime', 'embedder-batch'] as const) {
        expect(secretsOf(embedder)).toEqual(expect.arrayContaining(['REDIS_URL', 'OPENAI_API_KEY']))
        expect(secretsOf(embedder)).not.toContain('POINTSMAN_API_TOKEN')
      }
      if (!present.includes('producer')) return
      for (const name of ['REDIS_URL', 'OPENAI_API_KEY', 'POINTSMAN_API_TOKEN', 'WEAVIATE_API_KEY']) {
        expect(secretsOf('producer')).not.toContain(name)
      }
    })

    test('what selects pods finds those of one service', () => {
      const objects = objectsOf(values)
      for (const { metadata, spec } of objects.deployments) {
        expect(objects.selected(spec.selector)).toEqual([metadata.name])
      }
      for (const { metadata, spec } of [
        ...objects.of('PodDisruptionBudget'),
        ...objects.of('NetworkPolicy')
      ]) {
        expect(objects.selected(spec['selector'] ?? spec['podSelector'])).toEqual([metadata.name])
      }
      for (const { metadata, spec } of objects.of('Service')) {
        expect(objects.selected({ matchLabels: spec['selector'] })).toEqual([metadata.name])
      }
    })

    test('what is scaled exists, is not counted elsewhere, and never vanishes', () => {
      const objects = objectsOf(values)
      for (const { spec } of objects.of('ScaledObject')) {
        const { scaleTargetRef, minReplicaCount, fallback } = scaledObject.parse(spec)
        const scaled = objects.deployments.find(({ metadata }) => metadata.name === scaleTargetRef.name)
        expect(scaled).toBeDefined()
        expect(scaled?.spec.replicas).toBeUndefined()
        expect(minReplicaCount).toBeGreaterThanOrEqual(1)
        expect(fallback.replicas).toBe(minReplicaCount)
      }
    })
  }
)

test('objects are named after the release, and their labels fit into 63 characters', async () => {
  const long = 'a'.repeat(53)
  const yaml = await renderChart(chart.tools.helm, minimal, [`fullnameOverride=${long}`])
  for (const { metadata } of new KubernetesObjects(yaml).all)
    expect(metadata.name.length).toBeLessThanOrEqual(63)
  for (const { metadata } of objectsOf(minimal).all)
    expect(metadata.name).toMatch(new RegExp(`^${release.name}-`))
})
