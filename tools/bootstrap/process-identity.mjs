// Which process, not only which number: a pid is given to another process sooner or later, so a record of one
// also holds the time the process started. Plain JavaScript: the bootstrap runs on whatever Node is there.

import { readFileSync } from 'node:fs'

/** `pid:start`, where start is in the kernel's ticks since boot; empty where there is no /proc. */
export function identify(pid) {
  return `${pid}:${readStat(pid)?.start ?? ''}`
}

export function pidOf(identity) {
  return Number(identity.split(':')[0])
}

/** Whether exactly this process still runs. One that has ended but was not yet waited for does not. */
export function isAlive(identity) {
  const pid = pidOf(identity)
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else.
    if (error.code !== 'EPERM') return false
  }
  const stat = readStat(pid)
  if (stat === undefined) return true
  const [, start] = identity.split(':')
  return !'ZX'.includes(stat.state) && (start === '' || start === stat.start)
}

function readStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold blanks and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], start: fields[19] }
  } catch {
    return undefined
  }
}
