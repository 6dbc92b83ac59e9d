import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartPlan } from './part.ts'

export interface RegistrySettings {
  readonly java: string
  /** Folder of the unpacked registry. */
  readonly program: string
  readonly folder: string
  readonly port: number
  readonly managementPort: number
}

export function registryUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`
}

/**
 * Schemas live in a database file of its own (H2), not in Kafka: it survives kill -9, starts in three seconds without
 * waiting for Kafka, and a test may kill either without harming the other. Without WRITE_DELAY=0 the last half second
 * of schemas would be lost with the process.
 */
export function registryPlan({ java, program, folder, port, managementPort }: RegistrySettings): PartPlan {
  return {
    name: 'registry',
    ports: { http: port, management: managementPort },
    file: java,
    args: [
      '-Xmx320m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-jar',
      join(program, 'quarkus-run.jar')
    ],
    env: {
      APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(folder, 'schemas')};WRITE_DELAY=0`,
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '1',
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: '1',
      APICURIO_DATASOURCE_JDBC_MAX_SIZE: '10',
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(port),
      QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
      QUARKUS_MANAGEMENT_PORT: String(managementPort),
      QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false'
    },
    cwd: folder,
    prepare: async () => {
      await mkdir(folder, { recursive: true })
    },
    probe: signal => probeRegistry(registryUrl(port), signal)
  }
}

const probeSchema = JSON.stringify({ type: 'fixed', name: 'PointsmanProbe', size: 1 })

export async function probeRegistry(base: string, signal: AbortSignal): Promise<void> {
  // Apicurio's own default refuses nothing.
  await call(signal, 'PUT', `${base}/config`, { compatibility: 'BACKWARD' })
  const subject = `${base}/subjects/probe-${randomUUID()}`
  try {
    await call(signal, 'POST', `${subject}/versions`, { schema: probeSchema })
    const answer = await call(signal, 'GET', `${subject}/versions/latest/schema`)
    if (JSON.stringify(JSON.parse(answer)) !== probeSchema)
      throw new Error(`another schema came back: ${answer}`)
  } finally {
    await call(signal, 'DELETE', subject)
    await call(signal, 'DELETE', `${subject}?permanent=true`)
  }
}

async function call(signal: AbortSignal, method: string, url: string, body?: object): Promise<string> {
  const response = await fetch(url, {
    method,
    signal,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`)
  return text
}
