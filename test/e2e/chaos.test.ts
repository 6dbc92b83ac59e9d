import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../tools/chaos/main.ts', import.meta.url))

test('a minute of chaos loses, doubles and mixes up nothing, and costs no more than its incidents allow', {
  timeout: 400_000
}, async () => {
  const args = [program, '--minutes', '1', '--seed', '1', '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [told, timeline] = await Promise.all([text(child.stdout), text(child.stderr)])
  const result: Readonly<Record<string, unknown>> = JSON.parse(told)
  const { doublePaid, doublePaidBound } = result

  expect(result, timeline).toMatchObject({
    problems: [],
    lost: 0,
    duplicates: 0,
    stale: 0,
    misassigned: 0,
    falls: 0,
    converged: true
  })
  expect(doublePaid).toBeLessThanOrEqual(Number(doublePaidBound))
})
