import { drawPlan, type Theme } from './draw-plan.ts'
import { type PlanOutcome, runPlan } from './run-plan.ts'

export interface SeedOptions {
  /** What the run is about, where that is not left to the seed. */
  readonly theme?: Partial<Theme>
}

export type Outcome = PlanOutcome

/** Simulates the whole product once. The same seed gives the same run, to the last byte of its story. */
export async function runSeed(seed: number, { theme }: SeedOptions = {}): Promise<Outcome> {
  return runPlan(drawPlan(seed, theme))
}
