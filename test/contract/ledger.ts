// What every Ledger must do. `make` gives one that was never opened.
import type { Ledger } from '@pointsman/core/ports/ledger'
import { describe } from 'vitest'
import { LedgerScene } from '../support/ledger-scene.ts'
import { admissionContract } from './ledger-admission.ts'
import { controlContract } from './ledger-control.ts'
import { handoffContract } from './ledger-handoff.ts'
import { handoverContract } from './ledger-handover.ts'
import { livesContract } from './ledger-lives.ts'
import { manifestStepsContract } from './ledger-manifest-steps.ts'
import { manifestContract } from './ledger-manifests.ts'
import { manifestMoveContract } from './ledger-manifest-moves.ts'
import { settlementContract } from './ledger-settlement.ts'
import { switchContract } from './ledger-switch.ts'
import { verdictContract } from './ledger-verdicts.ts'

export function ledgerContract(adapter: string, make: () => Ledger): void {
  const open = (): Promise<LedgerScene> => LedgerScene.open(make())

  describe(`Ledger contract: ${adapter}`, () => {
    admissionContract(open)
    verdictContract(open)
    settlementContract(open)
    handoverContract(open)
    manifestContract(open)
    manifestStepsContract(open)
    manifestMoveContract(open)
    livesContract(open)
    controlContract(open, make)
    switchContract(open)
    handoffContract(open)
  })
}
