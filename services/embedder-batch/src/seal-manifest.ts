import type { BatchDeps } from './batch-deps.ts'
import type { Manifest } from './manifest.ts'

/**
 * Fixes the payment keys of a manifest. Parts that are superseded by now are dropped unpaid; from here on none leaves
 * before the job has ended, for others may have joined to share its payment.
 */
export async function sealManifest(manifest: Manifest, deps: BatchDeps, signal: AbortSignal): Promise<void> {
  const { gates, hit, ledger } = deps
  const { id, owner } = manifest
  for await (const parts of manifest.pages(signal)) {
    const flags = await gates.ledger.run(() => ledger.superseded(parts), signal)
    const outcomes = parts
      .filter((_, index) => flags[index] === true)
      .map(part => ({ part, settlement: 'skipped' }) as const)
    if (outcomes.length > 0) await gates.ledger.run(() => ledger.settle(id, owner, outcomes, 0), signal)
  }
  await manifest.advance('sealed', {}, signal)
  hit('ba.seal')
}
