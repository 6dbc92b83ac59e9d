import type { ObligationId, OwnerId } from '@pointsman/core/domain/identity'
import type { Ledger, ManifestState } from '@pointsman/core/ports/ledger'

/** Ends every life, takes over what is left and finishes it, as healthy embedders would in the end. */
export async function drainLedger(ledger: Ledger): Promise<void> {
  const { state, instances } = await ledger.survey()
  await ledger.resume(state.epoch)
  if (state.draining !== undefined) await ledger.abortSwitch(state.draining.epoch)
  for (const { owner } of instances) await ledger.release(owner)
  const { owner } = await ledger.register({ instance: 'drain', service: 'test', leaseMs: 3_600_000 })

  const { obligations } = await ledger.survey()
  for (const { id, kind, state: reached, parts: counts } of obligations) {
    const [lowest = 0] = counts.keys()
    const lane = state.partitions.get(lowest)?.lane ?? 'realtime'
    const claim = await ledger.takeover(id, { owner, epoch: state.epoch, lane })
    if (claim.kind !== 'taken') continue
    const parts = kind === 'manifest' ? await ledger.parts(id) : claim.parts
    const done = parts.map(part => ({
      part,
      settlement: part.action === 'delete' ? ('deleted' as const) : ('indexed' as const)
    }))
    const { answers } = await ledger.settle(id, owner, done, 0)
    const left = done.filter((_, index) => answers[index]?.kind === 'superseded')
    await ledger.settle(
      id,
      owner,
      left.map(({ part }) => ({ part, settlement: 'skipped' as const })),
      0
    )
    if (reached !== 'admitted' && reached !== 'paying') await archive(ledger, id, owner, reached)
  }
  await ledger.release(owner)
}

/** By way of `sealed`, as if what is at the provider had been found to be of no use. */
async function archive(
  ledger: Ledger,
  id: ObligationId,
  owner: OwnerId,
  reached: ManifestState
): Promise<void> {
  const isAway = reached === 'uploaded' || reached === 'submitting' || reached === 'submitted'
  if (isAway) await ledger.advance(id, owner, reached, 'sealed', {})
  await ledger.advance(id, owner, isAway ? 'sealed' : reached, 'archived', {})
}
