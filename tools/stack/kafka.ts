import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quietIdleConnections } from '@pointsman/core/adapters/kafka/quiet-idle-connections'
import { Kafka, logLevel } from 'kafkajs'
import type { PartPlan } from './part.ts'
import { runCommand } from './run-command.ts'

export interface KafkaSettings {
  readonly java: string
  /** Folder of Kafka's jars. */
  readonly jars: string
  /** Where settings, cluster id and data live. */
  readonly folder: string
  readonly port: number
  readonly controllerPort: number
  /** A listener more for the clients behind each fault proxy. */
  readonly proxied: readonly ProxiedListener[]
}

/** Its clients are told to come back to the proxy's port, or they would go round it after the first answer. */
export interface ProxiedListener {
  readonly port: number
  readonly advertisedPort: number
}

const javaFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError']

export function kafkaPlan(settings: KafkaSettings): PartPlan {
  const { java, jars, folder, port, controllerPort, proxied } = settings
  const config = join(folder, 'server.properties')
  const flags = [
    ...javaFlags,
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    `-Dkafka.logs.dir=${folder}`,
    '-cp',
    join(jars, '*')
  ]
  return {
    name: 'kafka',
    ports: {
      listener: port,
      controller: controllerPort,
      ...Object.fromEntries(proxied.map((listener, index) => [`proxied listener ${index}`, listener.port]))
    },
    file: java,
    args: ['-Xms128m', '-Xmx512m', ...flags, 'kafka.Kafka', config],
    env: {},
    cwd: folder,
    async prepare(signal) {
      await mkdir(folder, { recursive: true })
      await writeFile(config, serverProperties(settings))
      await writeFile(join(folder, 'log4j2.properties'), log4jProperties)
      // Formatting takes a JVM's start; once is enough.
      if (await stat(join(folder, 'data/bootstrap.checkpoint')).catch(() => undefined)) return
      const id = await clusterId(folder)
      const format = [
        'kafka.tools.StorageTool',
        'format',
        '--cluster-id',
        id,
        '--config',
        config,
        '--ignore-formatted'
      ]
      await runCommand({ file: java, args: ['-Xmx128m', ...flags, ...format], cwd: folder }, () => {}, signal)
    },
    probe: () => probeKafka(port)
  }
}

/** Metadata alone is too early: the first group would still be told that its coordinator is loading. */
export async function probeKafka(port: number): Promise<void> {
  // KafkaJS arms a timer with a negative time, which Node complains of on standard error.
  quietIdleConnections()
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 5000,
    retry: { retries: 0 }
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const { controller } = await admin.describeCluster()
    if (controller === null) throw new Error('no controller yet')
    // Looks the group's coordinator up and asks it; describing does not create the group.
    await admin.describeGroups([`probe-${randomUUID()}`])
  } finally {
    await admin.disconnect()
  }
}

async function clusterId(folder: string): Promise<string> {
  const path = join(folder, 'cluster-id')
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) return known
  let id: string
  // The storage tool would take a leading dash for an option.
  do id = randomBytes(16).toString('base64url')
  while (id.startsWith('-'))
  await writeFile(path, id)
  return id
}

function serverProperties({ folder, port, controllerPort, proxied }: KafkaSettings): string {
  const own = `PLAINTEXT://127.0.0.1:${port}`
  const listeners = [own, `CONTROLLER://127.0.0.1:${controllerPort}`]
  const advertised = [own]
  const protocols = ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT']
  for (const [index, listener] of proxied.entries()) {
    listeners.push(`PROXIED${index}://127.0.0.1:${listener.port}`)
    advertised.push(`PROXIED${index}://127.0.0.1:${listener.advertisedPort}`)
    protocols.push(`PROXIED${index}:PLAINTEXT`)
  }
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=${listeners.join(',')}
advertised.listeners=${advertised.join(',')}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=${protocols.join(',')}
log.dirs=${join(folder, 'data')}
auto.create.topics.enable=false
# The defaults are 3 replicas and 50 partitions.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# The default delays every first join by three seconds.
group.initial.rebalance.delay.ms=0
# A broker that was killed may register again only when its old session has run out, after nine seconds by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# The default takes 128 MiB of heap.
log.cleaner.dedupe.buffer.size=1048577
num.network.threads=2
num.io.threads=4
`
}

const log4jProperties = `rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
`
