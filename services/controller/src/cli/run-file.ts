import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** What `pointsman up` leaves behind for the other commands, readable by its user only. */
export const runFile = z.object({
  controller: z.url(),
  kafka: z.string(),
  registry: z.url(),
  redis: z.string(),
  weaviate: z.url(),
  weaviateGrpc: z.url(),
  openai: z.url(),
  namespace: z.string(),
  token: z.string(),
  model: z.string(),
  dimensions: z.int(),
  /** Of the process of `up`: `pid:start`, since a pid is given to another process sooner or later. */
  process: z.string().regex(/^\d+:\d*$/)
})
export type RunFile = z.output<typeof runFile>

export const projectRoot = fileURLToPath(new URL('../../../../', import.meta.url))

export function runFolder(namespace: string): string {
  return join(projectRoot, '.pointsman', namespace)
}

export function runFilePath(namespace: string): string {
  return join(runFolder(namespace), 'run.json')
}

/** Undefined when nothing was started here under this name. */
export async function loadRunFile(namespace: string): Promise<RunFile | undefined> {
  const text = await readFile(runFilePath(namespace), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const parsed = runFile.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
