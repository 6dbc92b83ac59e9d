// The end of the storm: everything that was produced is read, settled and committed, and nobody has anything left to do.

import { setTimeout as sleep } from 'node:timers/promises'
import type { LedgerEye } from './ledger-eye.ts'
import type { LogEye } from './log-eye.ts'

const lookEveryMs = 250

/** @throws when the limit passes, saying what it waits for. */
export async function untilQuiet(
  ledger: LedgerEye,
  log: LogEye,
  limitMs: number,
  signal: AbortSignal
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  for (;;) {
    const left = await whatIsLeft(ledger, log)
    if (left.length === 0) return
    if (performance.now() > deadlineMs) throw new Error(`not quiet after ${limitMs} ms: ${left.join('; ')}`)
    await sleep(lookEveryMs, undefined, { signal })
  }
}

async function whatIsLeft(ledger: LedgerEye, log: LogEye): Promise<readonly string[]> {
  const survey = await ledger.survey()
  if (survey === undefined) return ['the ledger does not answer']
  const { obligations, progress, state } = survey
  if (state.rebuild !== undefined) return [`the ledger is rebuilt: ${state.rebuild.stage}`]
  const [ends, committed] = await Promise.all([log.ends(), log.committed()])
  return [
    ...[...ends].flatMap(([partition, end]) => {
      const { frontier, lane, watermark } = progress.get(partition) ?? {}
      return end === 0n || watermark === end
        ? []
        : [`partition ${partition} (${lane}): W ${watermark}, A ${frontier}, end ${end}`]
    }),
    ...obligations.map(({ id, job, kind, owner, parts, reason, state: step }) => {
      const count = [...parts.values()].reduce((sum, each) => sum + each, 0)
      return [kind, id, step, owner ?? 'of nobody', `${count} parts`, job?.status, reason].join(' ')
    }),
    ...(state.draining === undefined ? [] : [`epoch ${state.draining.epoch} drains`]),
    ...(state.pause === undefined ? [] : [`paused: ${state.pause.reason}`]),
    ...committed.flatMap(({ group, offsets }) =>
      [...ends].flatMap(([partition, end]) =>
        end === 0n || offsets.get(partition) === end
          ? []
          : [`${group}, partition ${partition}: committed ${offsets.get(partition)}, end ${end}`]
      )
    )
  ]
}
