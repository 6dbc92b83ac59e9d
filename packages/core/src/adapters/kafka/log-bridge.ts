import { logLevel } from 'kafkajs'
import type { LogEntry, logCreator } from 'kafkajs'
import type { Logger } from '../../runtime/log.ts'

/** Tells of lines that KafkaJS prints and tells nobody otherwise. */
export type LogListener = (entry: LogEntry) => void

/**
 * KafkaJS' lines as ours, one level lower: what it calls an error is mostly a connection that it will make again,
 * and what it calls information comes with every pause.
 */
export function logBridge(log: Logger, listen: LogListener = () => undefined): logCreator {
  return () => entry => {
    const { message, timestamp: _, logger: __, stack, ...fields } = entry.log
    log[levelOf(entry.level)]({ ...fields, ...stackOf(log, stack) }, `kafka: ${message}`)
    listen(entry)
  }
}

/** The least level at which KafkaJS has to build its lines. */
export function clientLogLevel(log: Logger): logLevel {
  if (log.isLevelEnabled('trace')) return logLevel.INFO
  return log.isLevelEnabled('debug') ? logLevel.WARN : logLevel.ERROR
}

function levelOf(level: logLevel): 'warn' | 'debug' | 'trace' {
  if (level === logLevel.ERROR) return 'warn'
  return level === logLevel.WARN ? 'debug' : 'trace'
}

function stackOf(log: Logger, stack: unknown): { readonly stack?: unknown } {
  return stack !== undefined && log.isLevelEnabled('debug') ? { stack } : {}
}
