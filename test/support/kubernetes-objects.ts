// Objects that a chart was rendered to, as far as tests look into them.
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

const labels = z.record(z.string(), z.string())
const selector = z.object({ matchLabels: labels.default({}) })
const named = z.object({ name: z.string(), key: z.string().optional() })

const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      secretKeyRef: named.extend({ optional: z.boolean().default(false) }).optional(),
      fieldRef: z.object({ fieldPath: z.string() }).optional()
    })
    .optional()
})
export type Variable = z.output<typeof variable>

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) })

const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: z.array(variable),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  securityContext: z.unknown(),
  volumeMounts: z.array(
    z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })
  )
})

const pod = z.object({
  metadata: z.object({ labels }),
  spec: z.object({
    automountServiceAccountToken: z.boolean(),
    terminationGracePeriodSeconds: z.number(),
    securityContext: z.unknown(),
    serviceAccountName: z.string(),
    containers: z.tuple([container]),
    volumes: z.array(z.looseObject({ name: z.string() }))
  })
})

const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number().optional(),
    selector: z.object({ matchLabels: labels }),
    template: pod
  })
})
export type Deployment = z.output<typeof deployment>

const anything = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: labels.optional() }),
  spec: z.record(z.string(), z.unknown()).default({})
})
export type KubernetesObject = z.output<typeof anything>

export class KubernetesObjects {
  readonly all: readonly KubernetesObject[]

  constructor(yaml: string) {
    this.all = parseAllDocuments(yaml).flatMap(document => {
      const value: unknown = document.toJS()
      return value === null ? [] : [anything.parse(value)]
    })
  }

  of(kind: string): readonly KubernetesObject[] {
    return this.all.filter(object => object.kind === kind)
  }

  get deployments(): readonly Deployment[] {
    return this.of('Deployment').map(object => deployment.parse(object))
  }

  /** The one whose name ends with that of the service. */
  deployment(service: string): Deployment {
    const found = this.deployments.find(({ metadata }) => metadata.name.endsWith(`-${service}`))
    if (found === undefined) throw new Error(`no deployment of ${service}`)
    return found
  }

  /** Names of the deployments whose pods a selector finds; only by equality. */
  selected(by: unknown): readonly string[] {
    const wanted = Object.entries(selector.parse(by).matchLabels)
    return this.deployments
      .filter(({ spec }) => {
        const { labels: has } = spec.template.metadata
        return wanted.length > 0 && wanted.every(([label, value]) => has[label] === value)
      })
      .map(({ metadata }) => metadata.name)
  }
}
