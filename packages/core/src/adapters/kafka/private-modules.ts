// The modules of KafkaJS that it does not export. Its version is pinned, so they stand still; a
// version that nobody has examined is refused instead of guessed at.
import { createRequire } from 'node:module'
import { z } from 'zod'

const require = createRequire(import.meta.url)

export const examinedVersion = '2.2.4'

/** @throws {Error} when another KafkaJS is installed. */
export function requirePrivate(module: string): unknown {
  const { version } = z.object({ version: z.string() }).parse(require('kafkajs/package.json'))
  if (version !== examinedVersion) {
    throw new Error(
      `kafkajs ${version} is installed; this adapter knows the inside of ${examinedVersion} only`
    )
  }
  return require(`kafkajs/src/${module}`)
}
