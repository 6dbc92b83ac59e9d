import { batchMutants } from './batch-mutants.ts'
import { controllerMutants } from './controller-mutants.ts'
import { laneMutants } from './lane-mutants.ts'
import { ledgerMutants } from './ledger-mutants.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  ...ledgerMutants,
  ...laneMutants,
  ...batchMutants,
  ...controllerMutants
]
