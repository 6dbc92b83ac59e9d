import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Admin } from 'kafkajs'
import { Failure } from '../../domain/failure.ts'
import type { GroupState, LogAdmin, LogBounds } from '../../ports/event-log.ts'
import type { Logger } from '../../runtime/log.ts'
import type { Names } from '../../runtime/names.ts'
import { boundsOf } from './bounds.ts'
import type { NewClient } from './client.ts'
import { openCluster } from './cluster.ts'
import type { Deadline } from './deadline.ts'
import { errorTypes } from './error-types.ts'
import { evictMember } from './evict.ts'
import { committedOf } from './offsets.ts'
import { Reconnecting } from './reconnecting.ts'
import { comparedSettings, problemsOf, retentionMsOf, settingsOf } from './topic-settings.ts'
import type { ActualTopic } from './topic-settings.ts'

// Node finds only some of the names of this CommonJS module.
const { AssignerProtocol, ConfigResourceTypes } = kafkajs

const callMs = 10_000
const createMs = 30_000
const leaderPollMs = 100
/** What a broker answers about a topic that was just made. */
const newTopicErrors = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION'
])

export class KafkaLogAdmin implements LogAdmin {
  readonly #names: Names
  readonly #log: Logger
  readonly #admin: Reconnecting<Admin>
  readonly #cluster: ReturnType<typeof openCluster>

  constructor(newClient: NewClient, names: Names, log: Logger) {
    this.#names = names
    this.#log = log
    this.#cluster = openCluster(newClient)
    this.#admin = new Reconnecting({
      connect: async () => {
        const admin = newClient().admin()
        await admin.connect()
        return admin
      },
      disconnect: admin => admin.disconnect()
    })
  }

  async prepare(partitions: number, signal: AbortSignal): Promise<void> {
    const wanted = settingsOf(this.#names, partitions)
    const actual = await this.#admin.use(within('preparing topics', createMs, signal), async admin => {
      const existing = await admin.listTopics()
      const missing = wanted.filter(({ topic }) => !existing.includes(topic))
      if (missing.length > 0) await createTopics(admin, missing)
      return describeTopics(
        admin,
        wanted.map(({ topic }) => topic)
      )
    })
    const problems = [...actual].flatMap(([topic, described]) => problemsOf(this.#names, topic, described))
    if (problems.length > 0) throw new Failure('TOPIC_UNFIT', `topics unfit\n  ${problems.join('\n  ')}`)
    const bytes = actual.get(this.#names.documents)?.config.get('retention.bytes') ?? '-1'
    if (bytes !== '-1') {
      this.#log.warn({ topic: this.#names.documents, bytes }, 'retention.bytes may remove unread documents')
    }
  }

  bounds(): Promise<ReadonlyMap<number, LogBounds>> {
    const topic = this.#names.documents
    return this.#cluster.use(within('asking for the bounds of the log'), async cluster => {
      await cluster.addTargetTopic(topic)
      await cluster.refreshMetadataIfNecessary()
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      return boundsOf(cluster, topic, partitions)
    })
  }

  committed(group: string): Promise<ReadonlyMap<number, bigint | undefined>> {
    return this.#admin.use(within('reading committed offsets'), async admin => {
      const [topic] = await admin.fetchOffsets({ groupId: group, topics: [this.#names.documents] })
      return new Map(topic?.partitions.map(({ partition, offset }) => [partition, committedOf(offset)]))
    })
  }

  group(group: string): Promise<GroupState> {
    return this.#admin.use(within('describing a group'), async admin => {
      const [described] = (await admin.describeGroups([group])).groups
      if (described === undefined) return { state: 'Dead', members: [] }
      const members = described.members.map(({ memberId, memberAssignment }) => ({
        memberId,
        partitions: this.#partitionsOf(memberAssignment)
      }))
      return { state: described.state, members }
    })
  }

  retentionMs(): Promise<number | undefined> {
    const topic = this.#names.documents
    return this.#admin.use(within('reading the settings of a topic'), async admin => {
      const described = (await describeTopics(admin, [topic])).get(topic)
      return described && retentionMsOf(described.config)
    })
  }

  evict(group: string, memberId: string): Promise<void> {
    return this.#cluster.use(within('evicting a member'), cluster => evictMember(cluster, group, memberId))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin[Symbol.asyncDispose](), this.#cluster[Symbol.asyncDispose]()])
  }

  /** Empty while the member waits for its assignment. */
  #partitionsOf(memberAssignment: Buffer): readonly number[] {
    if (memberAssignment.length === 0) return []
    const decoded = AssignerProtocol.MemberAssignment.decode(memberAssignment)
    return decoded?.assignment[this.#names.documents] ?? []
  }
}

function within(what: string, ms = callMs, signal?: AbortSignal): Deadline {
  return { what, ms, code: 'LOG_UNAVAILABLE', ...(signal && { signal }) }
}

async function createTopics(admin: Admin, missing: ReturnType<typeof settingsOf>): Promise<void> {
  await admin.createTopics({
    // KafkaJS's own waiting gives up when the broker has not heard of the topic yet.
    waitForLeaders: false,
    topics: missing.map(({ topic, partitions, config }) => ({
      topic,
      numPartitions: partitions,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value }))
    }))
  })
  for (const { topic } of missing) await hasLeaders(admin, topic)
}

/** Resolves when every partition of a new topic answers. */
async function hasLeaders(admin: Admin, topic: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += leaderPollMs) {
    try {
      await admin.fetchTopicOffsets(topic)
      return
    } catch (error) {
      const isNew = errorTypes(error).some(type => newTopicErrors.has(type))
      if (!isNew || waitedMs > createMs) throw error
      await delay(leaderPollMs)
    }
  }
}

async function describeTopics(
  admin: Admin,
  topics: readonly string[]
): Promise<ReadonlyMap<string, ActualTopic>> {
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] })
  const partitions = new Map(metadata.topics.map(topic => [topic.name, topic.partitions.length]))
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(name => ({
      type: ConfigResourceTypes.TOPIC,
      name,
      configNames: [...comparedSettings]
    }))
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const config = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]))
      return [resourceName, { partitions: partitions.get(resourceName) ?? 0, config }]
    })
  )
}
