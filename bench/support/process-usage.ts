// What a process has used, from /proc; undefined where there is none (macOS) or the process is gone.
import { readFileSync } from 'node:fs'

/** Kernel ticks a second; the same on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Processor time of all threads so far, in milliseconds. */
export function cpuMsOf(pid: number): number | undefined {
  const stat = read(pid, 'stat')
  if (stat === undefined) return undefined
  // The second field is the program's name in brackets and may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond
}

/** Processor time so far of everything on this machine, in milliseconds. */
export function machineCpuMs(): number | undefined {
  let stat: string
  try {
    stat = readFileSync('/proc/stat', 'utf8')
  } catch {
    return undefined
  }
  // The first line sums all cores: user, nice, system, idle, iowait, irq, softirq.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = stat
    .slice('cpu '.length)
    .trim()
    .split(/\s+/)
    .map(Number)
  return ((user + nice + system + irq + softirq) * 1_000) / ticksPerSecond
}

export function rssMbOf(pid: number): number | undefined {
  return statusMb(pid, 'VmRSS')
}

/** The highest RSS so far: nothing slips through between two samples. */
export function peakRssMbOf(pid: number): number | undefined {
  return statusMb(pid, 'VmHWM')
}

function statusMb(pid: number, field: string): number | undefined {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(pid, 'status') ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
