export type SwitchRefusalCode =
  | 'EPOCH_CHANGED'
  | 'FORCE_NEEDS_ALL'
  | 'NO_PARTITIONS'
  | 'NOTHING_TO_ABORT'
  | 'NOTHING_TO_ROLL_BACK'
  | 'SHARE_FALLS'
  | 'STANDBY_NOT_READY'
  | 'SWITCH_ID_REUSED'
  | 'SWITCH_LOST'
  | 'SWITCH_UNDER_WAY'
  | 'TOO_LATE_TO_ABORT'

/** A switch that is not made, as the state of things is: nothing has changed. The message names the remedy. */
export class SwitchRefused extends Error {
  override readonly name = 'SwitchRefused'
  readonly code: SwitchRefusalCode

  constructor(code: SwitchRefusalCode, message: string) {
    super(message)
    this.code = code
  }
}
