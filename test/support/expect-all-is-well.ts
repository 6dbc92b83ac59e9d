import { expect, vi } from 'vitest'
import { z } from 'zod'
import { auditJobs, filesLeft } from './job-audit.ts'
import type { RealLane } from './real-lane.ts'

const billSchema = z.object({ batch: z.object({ tokens: z.number() }) })

/** All that must hold at the end of every story of the batch lane. */
export async function expectAllIsWell(lane: RealLane): Promise<void> {
  await lane.settled()
  await lane.finished()
  expect(await lane.audit(), lane.said).toEqual({ lost: [], duplicates: [], stale: [], repeatedPayments: 0 })
  expect(await lane.wrong()).toEqual([])
  const { jobs, ...found } = await auditJobs(lane.provider.client())
  expect(found, lane.said).toEqual({ repeatedJobs: [], strangers: [] })
  expect(jobs).toBeGreaterThan(0)
  const { batch } = billSchema.parse(await lane.provider.get('/bill'))
  expect((await lane.ledger.survey()).counts.paidTokens, 'tokens that the ledger counts').toBe(batch.tokens)
  await expectNoFilesLeft(lane)
}

/** Those of a process that died before it noted them are swept by the next one that starts. */
async function expectNoFilesLeft(lane: RealLane): Promise<void> {
  lane.startEmbedder('sweeper')
  await vi.waitFor(async () => expect(await filesLeft(lane.provider.client())).toEqual([]), {
    timeout: 20_000,
    interval: 100
  })
}
