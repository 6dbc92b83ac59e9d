// Tells a waiting person what is being fetched, how far it is and how long it may take: one live line on a terminal,
// otherwise a line now and then.

export interface Progress {
  /** @param estimateMs - how long this usually takes on a small computer. */
  begin(what: string, estimateMs: number): Task
  close(): void
}

export interface Task {
  /** @param fraction - of the whole, 0 to 1. */
  reach(fraction: number): void
  done(): void
  failed(): void
}

export interface ProgressOutput {
  readonly isLive: boolean
  /** Width of the terminal: a live line that wraps could not be written over. */
  readonly columns?: number
  write(text: string): void
}

interface RunningTask {
  readonly what: string
  readonly estimateMs: number
  readonly beganMs: number
  fraction: number
}

const liveMs = 200
const lineMs = 15_000

// Below this the speed seen so far says less than the usual time.
const trustedFraction = 0.1

export function openProgress(output: ProgressOutput): Progress {
  const running = new Set<RunningTask>()
  const summary = (): string => [...running].map(describe).join(' · ')
  const clear = output.isLive ? '\r\u001b[K' : ''
  const timer = setInterval(
    () => {
      if (running.size === 0) return
      output.write(output.isLive ? `${clear}${summary().slice(0, output.columns)}` : `${summary()}\n`)
    },
    output.isLive ? liveMs : lineMs
  )
  timer.unref()

  return {
    begin(what, estimateMs) {
      const task: RunningTask = { what, estimateMs, beganMs: performance.now(), fraction: 0 }
      running.add(task)
      output.write(`${clear}fetching ${what} (usually about ${duration(estimateMs)})\n`)
      const end = (outcome: string): void => {
        if (!running.delete(task)) return
        output.write(`${clear}${outcome} ${what} after ${duration(performance.now() - task.beganMs)}\n`)
      }
      return {
        reach: fraction => {
          task.fraction = Math.min(1, Math.max(task.fraction, fraction))
        },
        done: () => end('fetched'),
        failed: () => end('failed to fetch')
      }
    },
    close() {
      clearInterval(timer)
      if (running.size > 0) output.write(clear)
    }
  }
}

function describe({ what, estimateMs, beganMs, fraction }: RunningTask): string {
  const elapsedMs = performance.now() - beganMs
  const totalMs = fraction < trustedFraction ? estimateMs : elapsedMs / fraction
  const leftMs = totalMs - elapsedMs
  const percent = fraction > 0 ? ` ${Math.round(fraction * 100)} %` : ''
  return `${what}${percent}, ${leftMs > 0 ? `about ${duration(leftMs)} left` : 'nearly there'}`
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
