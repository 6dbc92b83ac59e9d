import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** The environment, and below it what a `.env` file in the working directory says, when there is one. */
export function withEnvFile(
  env: Readonly<Record<string, string | undefined>>,
  path = '.env'
): Readonly<Record<string, string | undefined>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return env
  }
  return { ...parseEnv(text), ...env }
}
