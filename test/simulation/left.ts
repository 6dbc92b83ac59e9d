// What is not done yet (L1, L2): documents that are not settled, switches that have not ended, processes that are away.
import type { Director } from './director.ts'
import type { World } from './world.ts'

/** In words; nothing when all is done. */
export async function whatIsLeft(world: World, director: Director): Promise<readonly string[]> {
  const { control, ledgerServer, log } = world
  const left: string[] = []
  const { state } = ledgerServer
  if (!director.producer.isIdle) left.push('the producer')
  for (const { isUp, life, name } of director.machines) {
    if (!isUp || life?.isPaused === true) left.push(`${name} is away`)
  }
  if (state === undefined) return [...left, 'there is no ledger']
  if (state.rebuild !== undefined) left.push(`the ledger is rebuilt: ${state.rebuild.stage}`)
  if (state.pause !== undefined) left.push('admission is stopped')
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const { end } = log.bounds(partition)
    const known = state.partitions.get(partition)
    if (known === undefined && end === 0n) continue
    if (known === undefined || known.frontier !== end) {
      left.push(`partition ${partition}: A ${known?.frontier ?? 'unknown'} of ${end}`)
    }
  }
  for (const { id, kind, owner, parts, state: step } of state.obligations.values()) {
    left.push(`${kind} ${id} of ${owner ?? 'nobody'}, ${step}, ${parts.size} parts`)
  }
  const records = await control.read(0n, new AbortController().signal)
  const ended = new Set(
    records.flatMap(({ record }) => (record?.kind === 'outcome' ? [record.switchId] : []))
  )
  for (const { record } of records) {
    if (record?.kind === 'intent' && !ended.has(record.switchId)) left.push(`switch ${record.switchId}`)
  }
  return left
}
