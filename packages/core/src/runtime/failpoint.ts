// Named places at which a test may kill the process, to show what every crash leaves behind. A service calls
// `hit` at each; only a process started with POINTSMAN_FAILPOINT=<name>[:<n>] dies there, at the n-th hit.

/** Crash windows of both lanes. */
export type LaneStep = 'fetch' | 'claim' | 'upsert' | 'mark' | 'commit' | 'dead-letter'

export type Failpoint =
  | `${'rt' | 'ba'}.${LaneStep}`
  | 'rt.pay'
  | 'rt.response'
  | 'ba.adopt'
  | 'ba.seal'
  | 'ba.file'
  | 'ba.upload'
  | 'ba.fileid'
  | 'ba.create'
  | 'ba.batchid'
  | 'ba.download'
  | 'ba.parse'
  | 'ba.archive'
  | 'ctl.intent'
  | 'ctl.drain'
  | 'ctl.fence'
  | 'ctl.finish'
  | 'ctl.life'
  | 'ctl.files'
  | 'ctl.index'
  | 'ctl.log'
  | 'ctl.jobs'
  | 'ctl.rebuilt'

export type HitFailpoint = (name: Failpoint) => void

/** @param setting - `<name>` or `<name>:<n>`, n from 1; undefined in production: every hit does nothing. */
export function failpoints(setting: string | undefined, die: () => void): HitFailpoint {
  if (setting === undefined) return () => undefined
  const [wanted, nth = '1'] = setting.split(':')
  let left = Number(nth)
  return name => {
    if (name !== wanted) return
    left -= 1
    if (left === 0) die()
  }
}
