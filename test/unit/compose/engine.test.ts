import { expect, test } from 'vitest'
import { openEngine } from '../../../tools/compose/engine.ts'

test('where there is no engine and nothing can be installed, it says what to do', async () => {
  const said: string[] = []
  const nowhere = {
    env: { PATH: '/nonexistent' },
    folder: '/nonexistent',
    say: (line: string) => said.push(line)
  }
  await expect(openEngine(nowhere, new AbortController().signal)).rejects.toThrow(
    /^no Docker engine answers, and none can be installed here: .*\nInstall Docker \(https:.*or run this as root on Debian/
  )
  expect(said).toEqual([])
})
