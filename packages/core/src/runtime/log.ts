import { pino } from 'pino'

export type { Logger } from 'pino'
import type { Logger } from 'pino'

/** JSON lines on standard error: standard output belongs to what a command prints. */
export function openLog(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      redact: { paths: ['*.apiKey', '*.password', '*.token', '*.authorization'], censor: '***' }
    },
    pino.destination({ dest: 2, sync: false })
  )
}
