import { isRecord } from './request-checks.ts'
import type { LocalOpenaiOptions } from './start-local-openai.ts'

/** Why the server did not start, and what helps. */
export function explainStartFailure(
  error: unknown,
  { dataDir, host, port, stateFile }: LocalOpenaiOptions
): string {
  const message = error instanceof Error ? error.message : String(error)
  const { code, path, syscall } = isRecord(error) ? error : {}
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    if (code === 'EADDRINUSE') return `port ${port} is in use: choose another one, or --port 0 for a free one`
    if (code === 'EACCES') return `port ${port} may not be used: choose one above 1023`
    return `cannot listen on ${host}: ${message}; --host 127.0.0.1 always works`
  }
  if (typeof path !== 'string') return message
  if (path === stateFile) return `--state cannot be used: ${message}`
  return dataDir !== undefined && path.startsWith(dataDir) ? `--data-dir cannot be used: ${message}` : message
}
