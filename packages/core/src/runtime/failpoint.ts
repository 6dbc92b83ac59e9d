// Named places at which a test may kill the process, to show what every crash leaves behind. A service calls
// `hit` at each; only a process started with POINTSMAN_FAILPOINT=<name>[:<n>] dies there, at the n-th hit.

export type Failpoint =
  | 'rt.fetch'
  | 'rt.claim'
  | 'rt.pay'
  | 'rt.response'
  | 'rt.upsert'
  | 'rt.mark'
  | 'rt.commit'
  | 'rt.dead-letter'

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
