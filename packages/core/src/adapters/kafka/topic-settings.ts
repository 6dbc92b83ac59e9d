// What the topics of a namespace must be like, and how an existing one falls short: pure.
import type { Names } from '../../runtime/names.ts'

export interface TopicSettings {
  readonly topic: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** A topic as the brokers describe it. */
export interface ActualTopic {
  readonly partitions: number
  readonly config: ReadonlyMap<string, string>
}

const hourMs = 3_600_000
const sevenDaysMs = 7 * 24 * hourMs
/** A batch job may take 24 hours; a day for an outage on top. */
const leastRetentionMs = 48 * hourMs

export const comparedSettings = ['cleanup.policy', 'retention.ms', 'retention.bytes'] as const

export function settingsOf(names: Names, partitions: number): readonly TopicSettings[] {
  const forever = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }
  const sevenDays = { 'cleanup.policy': 'delete', 'retention.ms': String(sevenDaysMs) }
  return [
    { topic: names.documents, partitions, config: sevenDays },
    // One partition: letters have one order, and there are few.
    { topic: names.deadLetters, partitions: 1, config: forever },
    // Its offsets are the epochs: nothing of it may ever go.
    { topic: names.control, partitions: 1, config: forever }
  ]
}

/** @returns undefined for a topic that keeps its records for ever. */
export function retentionMsOf(config: ReadonlyMap<string, string>): number | undefined {
  const retentionMs = Number(config.get('retention.ms') ?? -1)
  return retentionMs < 0 ? undefined : retentionMs
}

/** One sentence with the remedy for each shortcoming; none when the topic will do. */
export function problemsOf(
  names: Names,
  topic: string,
  { partitions, config }: ActualTopic
): readonly string[] {
  const problems: string[] = []
  const demand = (setting: string, value: string, why: string): void => {
    const remedy = `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${setting}=${value}`
    problems.push(`${topic}: ${setting} is ${config.get(setting) ?? 'unknown'}: ${why}; ${remedy}`)
  }
  if (config.get('cleanup.policy') !== 'delete') {
    demand('cleanup.policy', 'delete', 'compaction removes records that are still needed')
  }
  const retentionMs = retentionMsOf(config)
  if (topic === names.control) {
    if (retentionMs !== undefined) demand('retention.ms', '-1', 'switches must be kept for ever')
    if (config.get('retention.bytes') !== '-1')
      demand('retention.bytes', '-1', 'switches must be kept for ever')
    if (partitions !== 1) problems.push(`${topic}: has ${partitions} partitions and must have 1: delete it`)
  } else if (retentionMs !== undefined && retentionMs < leastRetentionMs) {
    demand('retention.ms', String(sevenDaysMs), `records must be kept for at least ${leastRetentionMs} ms`)
  }
  return problems
}
