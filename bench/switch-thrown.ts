import type { Gap } from './switch-sampler.ts'
import type { SwitchStep } from './switch-variants.ts'

/** Times in milliseconds since the moment before the command was sent. */
export interface ThrownSwitch extends SwitchStep {
  readonly outcome: 'completed' | 'aborted' | 'late' | 'refused'
  /** The command's answer had come. */
  readonly answerMs: number
  readonly cutMs: number
  /** First admission of the new lane, and of the partition that was last. */
  readonly firstMs: number
  readonly lastMs: number
  /** From the command to the end of the handoff. */
  readonly window: Gap
  /** When the command was sent: jobs at the provider, and records that nobody had admitted. */
  readonly jobs: number
  readonly unread: number
  /** Why it was refused. */
  readonly because: string
  /** Answers to the same or a competing command that were not as they should be. */
  readonly disagreements: readonly string[]
}
