import type { Ledger } from '@pointsman/core/ports/ledger'
import { LedgerScene } from './ledger-scene.ts'

/** Some of everything: each transition matters to a later one. */
export async function tellStory(ledger: Ledger): Promise<void> {
  const scene = await LedgerScene.open(ledger)
  const { other, owner } = scene
  const first = await scene.admit([
    { doc: 'a', text: 'A' },
    { doc: 'b', text: 'B' },
    { doc: 'c', text: 'A' }
  ])
  await ledger.watermarks()
  await scene.finish(first.obligation)
  const { obligation } = await scene.admit([{ doc: 'd', text: 'D' }])
  await ledger.attempt(obligation, owner, 1, 1)
  const orphan = scene.newId()
  const fields = { reason: 'failed', delayMs: 0, attempts: 9, failures: 0 }
  await ledger.move(obligation, owner, await ledger.parts(obligation), { id: orphan, kind: 'orphan' }, fields)
  await ledger.takeover(orphan, { owner: other, epoch: 1, lane: 'realtime' })
  await ledger.settle(
    orphan,
    other,
    (await ledger.parts(orphan)).map(part => ({ part, settlement: 'dead' })),
    5
  )
  const manifest = scene.newId()
  const deletion = await scene.admit(
    [
      { doc: 'e', text: 'E' },
      { doc: 'a', version: 2 }
    ],
    { manifest, partition: 1 }
  )
  await scene.finish(deletion.obligation)
  await scene.admit([{ doc: 'f', text: 'E' }])
  await scene.bringTo(manifest, 'terminal')
  await scene.finish(manifest)
  await ledger.advance(manifest, owner, 'terminal', 'archived', {})
  await ledger.pause(1, 'store is away', 'test')
  await scene.admit([{ doc: 'g', text: 'G' }])
  await ledger.resume(1)
  await ledger.switchLanes({
    expectedEpoch: 1,
    epoch: 3,
    lanes: new Map([[0, 'batch']]),
    defaultLane: 'batch',
    release: 'open'
  })
  await scene.index([{ doc: 'g', text: 'G' }], { epoch: 3, lane: 'batch' })
  await scene.index(
    [
      { doc: 'a', text: 'new', version: 3 },
      { doc: 'd', text: 'D' }
    ],
    { epoch: 3, partition: 1 }
  )
  await scene.admit([{ doc: 'h', text: 'H' }], { epoch: 3, partition: 1, manifest })
  await scene.finish(manifest)
  await ledger.watermarks()
}
