import type { Ledger } from '@pointsman/core/ports/ledger'

/** Ends every life, takes over what is left and finishes it, as healthy embedders would in the end. */
export async function drainLedger(ledger: Ledger): Promise<void> {
  const { state, instances } = await ledger.survey()
  await ledger.resume(state.epoch)
  for (const { owner } of instances) await ledger.release(owner)
  const { owner } = await ledger.register({ instance: 'drain', service: 'test', leaseMs: 3_600_000 })

  const { obligations } = await ledger.survey()
  for (const { id, parts } of obligations) {
    const [lowest = 0] = parts.keys()
    const lane = state.partitions.get(lowest)?.lane ?? 'realtime'
    const claim = await ledger.takeover(id, { owner, epoch: state.epoch, lane })
    if (claim.kind !== 'taken') continue
    const done = claim.parts.map(part => ({
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
  }
  await ledger.release(owner)
}
