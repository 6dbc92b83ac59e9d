import type { Lane } from '@pointsman/core/domain/lane'
import { afterEach, describe, expect, test } from 'vitest'
import { analysisReport } from '../../../../services/controller/src/switching/analysis/analysis-report.ts'
import { local, serveApi } from '../../../support/controller-api.ts'
import { MemoryJobs } from '../../../support/memory-jobs.ts'
import { documentOf } from '../../../support/memory-world.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function serve() {
  const { api, world } = await serveApi()
  cleanUps.push(() => api.close())
  const ask = (path: string) => api.inject({ url: `/v1/analysis/${path}`, headers: local })
  const analysis = async (path: string) => analysisReport.parse((await ask(path)).json())
  return { world, ask, analysis }
}

describe('GET /v1/analysis/{mode}', () => {
  test('tells what is in flight, of both lanes, and changes nothing', async () => {
    const { analysis, world } = await serve()
    await world.produce(documentOf('a', 'read'))
    await world.drain()
    const jobs = await MemoryJobs.open(world)
    await jobs.archive(
      await jobs.begin(1, 'terminal', {
        lines: 1,
        status: 'completed',
        submittedMs: world.clock.now - 9000,
        endedMs: world.clock.now - 1000
      })
    )
    const id = await jobs.begin(3, 'submitted', { lines: 3, tokens: 30, submittedMs: world.clock.now })
    await world.produce(documentOf('b', 'unread'), documentOf('c', 'unread too'))
    const before = await world.ledger.survey()

    const report = await analysis('batch?strategy=drain&deadlineMs=60000')

    expect(report).toMatchObject({
      epoch: 1,
      target: 'batch',
      strategy: 'drain',
      share: 1,
      deadlineMs: 60_000,
      partitions: { moving: [0, 1], staying: [], realtime: 2, batch: 0 },
      jobs: [{ id, documents: 3 }],
      turnaround: { jobs: 1, medianMs: 8000 },
      backlog: { documents: 2 },
      standby: { lane: 'batch', ready: false },
      otherLane: { lane: 'realtime' }
    })
    expect(report.inFlight[0]).toMatchObject({ stage: 'unread', documents: 2 })
    expect(report.strategies.map(({ strategy }) => strategy)).toEqual(['detach', 'drain', 'force'])
    expect(report.strategies[1]?.waitedFor.jobs).toEqual([id])
    expect(report.warnings.map(({ code }) => code)).toContain('STANDBY_NOT_READY')
    expect(report.recommendation.strategy).toBeNull()
    expect(await world.ledger.survey()).toEqual(before)
    expect(await world.control.read(0n, new AbortController().signal)).toEqual([])
  })

  test.each<[Lane, boolean]>([
    ['realtime', true],
    ['batch', false]
  ])('of an idle ledger, towards %s', async (lane, unchanged) => {
    const { analysis } = await serve()
    expect(await analysis(lane)).toMatchObject({ target: lane, strategy: 'detach', unchanged, jobs: [] })
  })

  test('takes a share', async () => {
    const { analysis } = await serve()
    expect((await analysis('batch?share=0.5')).partitions).toMatchObject({ moving: [0], staying: [1] })
  })

  test.each([
    'sideways',
    'batch?share=0',
    'batch?share=1.1',
    'batch?share=',
    'batch?share=half',
    'batch?strategy=jump',
    'batch?deadlineMs=5',
    'batch?deadlineMs=1000.5'
  ])('refuses %s', async path => {
    const { ask } = await serve()
    const answer = await ask(path)
    expect(answer.statusCode).toBe(422)
    expect(answer.json()).toMatchObject({ code: 'INVALID' })
  })
})
