import { describe, expect, test } from 'vitest'
import { problemsOf, retentionMsOf, settingsOf } from '@pointsman/core/adapters/kafka/topic-settings'
import { namesOf } from '@pointsman/core/runtime/names'

describe('topic settings', () => {
  const names = namesOf('ns')
  const problems = (topic: string, config: Record<string, string>, partitions = 1): readonly string[] =>
    problemsOf(names, topic, { partitions, config: new Map(Object.entries(config)) })

  test('topics as they are made have no problems', () => {
    for (const { topic, partitions, config } of settingsOf(names, 8)) {
      expect(problems(topic, { 'retention.bytes': '-1', ...config }, partitions)).toEqual([])
    }
  })

  test('compaction and short retention are both named, with what to do', () => {
    const found = problems(names.documents, {
      'cleanup.policy': 'compact,delete',
      'retention.ms': '86400000'
    })
    expect(found).toHaveLength(2)
    expect(found[0]).toContain('cleanup.policy is compact,delete')
    expect(found[0]).toContain('--add-config cleanup.policy=delete')
    expect(found[1]).toContain('retention.ms is 86400000')
  })

  test('two days are enough for documents, and for ever is too', () => {
    expect(problems(names.documents, { 'cleanup.policy': 'delete', 'retention.ms': '172800000' })).toEqual([])
    expect(problems(names.documents, { 'cleanup.policy': 'delete', 'retention.ms': '-1' })).toEqual([])
  })

  test('the control topic keeps everything, in one partition', () => {
    const weak = { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'retention.bytes': '1000' }
    expect(problems(names.control, weak, 3)).toHaveLength(3)
  })

  test('a negative retention is for ever', () => {
    expect(retentionMsOf(new Map([['retention.ms', '-1']]))).toBe(undefined)
    expect(retentionMsOf(new Map([['retention.ms', '5']]))).toBe(5)
  })
})
