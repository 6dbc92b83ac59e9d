// Embedders that lose their ledger on real servers, and go on in the same process when a controller has rebuilt it.
import type { Lane } from '@pointsman/core/domain/lane'
import { describe, expect, test, vi } from 'vitest'
import { admitted, emitAll } from '../support/batch-traffic.ts'
import { startController } from '../support/controller-process.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { auditJobs, filesLeft } from '../support/job-audit.ts'
import { loseLedger, loseLedgerWhileFrozen, rebuilt } from '../support/lose-ledger.ts'
import { aText } from '../support/memory-lane.ts'
import { type EmbedderProcess, RealLane } from '../support/real-lane.ts'

const servers = injectedServers()
const patience = { timeout: 30_000, interval: 50 }

async function expectWaiting(embedder: EmbedderProcess, lane: RealLane): Promise<void> {
  await vi.waitFor(() => expect(embedder.output()).toContain('the ledger was lost'), patience)
  await vi.waitFor(
    async () => expect((await lane.ledger.open('realtime', 'lost')).rebuild?.stage).toBe('waiting'),
    patience
  )
}

describe('an embedder whose ledger is lost', () => {
  test('in the realtime lane finishes in the rebuilt one, and pays again for no more than was at risk', async () => {
    await using lane = await RealLane.open(servers, 200)
    const embedder = lane.startEmbedder('one')
    await lane.emit(
      Array.from({ length: 2_000 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`))
    )
    await admitted(lane, 500)
    const atRisk = await loseLedgerWhileFrozen(lane, embedder)
    await expectWaiting(embedder, lane)
    await using controller = startController(lane.env)
    await lane.emit(
      Array.from({ length: 100 }, (_, index) => aText(`d${index}`, 2, `text number ${index}, changed`))
    )
    await rebuilt(lane)
    await lane.settled()

    const { repeatedPayments, ...found } = await lane.audit()
    expect(found, controller.said()).toEqual({ lost: [], duplicates: [], stale: [] })
    expect(await lane.wrong()).toEqual([])
    expect(repeatedPayments).toBeLessThanOrEqual(atRisk)
    expect((await lane.ledger.state()).epoch).toBeGreaterThan(1)
    embedder.signal('SIGTERM')
    expect(await embedder.ended).toBe(0)
  })

  test.for(['while jobs run', 'while results are read'] as const)(
    'in the batch lane, %s, goes on with the jobs that are there, and pays for nothing twice',
    async (when, { expect }) => {
      await using lane = await RealLane.open(servers, 0, 'batch')
      await using controller = startController(lane.env)
      await controller.url
      const embedder = lane.startEmbedder('one')
      await emitAll(lane)
      const state = when === 'while jobs run' ? 'submitted' : 'terminal'
      await vi.waitFor(
        async () => {
          const { obligations } = await lane.ledger.survey()
          expect(obligations.map(each => each.state)).toContain(state)
        },
        { timeout: 30_000, interval: 5 }
      )
      await loseLedgerWhileFrozen(lane, embedder)
      await vi.waitFor(() => expect(embedder.output()).toContain('the ledger was lost'), patience)
      await rebuilt(lane)
      await lane.settled()
      await lane.finished()

      const said = `${lane.said}\n${controller.said()}`
      expect(await lane.audit(), said).toEqual({ lost: [], duplicates: [], stale: [], repeatedPayments: 0 })
      expect(await lane.wrong()).toEqual([])
      const { repeatedJobs, strangers } = await auditJobs(lane.provider.client())
      expect({ repeatedJobs, strangers }, said).toEqual({ repeatedJobs: [], strangers: [] })
      expect(await filesLeft(lane.provider.client())).toEqual([])
      embedder.signal('SIGTERM')
      expect(await embedder.ended).toBe(0)
    }
  )

  test.for(['realtime', 'batch'] as const)(
    'before it admitted anything in the %s lane knows of the loss all the same',
    async (mode: Lane, { expect }) => {
      await using lane = await RealLane.open(servers, 0, mode)
      const embedder = lane.startEmbedder('one')
      const group = `${lane.env['POINTSMAN_NAMESPACE'] ?? ''}.embedder-${mode}`
      await vi.waitFor(
        async () =>
          expect([...(await lane.admin.committed(group)).values()], lane.said).not.toContain(undefined),
        patience
      )
      await loseLedger(lane)
      await expectWaiting(embedder, lane)
    }
  )
})
