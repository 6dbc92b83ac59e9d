import { expect, test } from 'vitest'
import { programRunner } from '../../../services/controller/src/cli/run-program.ts'

test('a program that an image leaves out is refused with the remedy', async () => {
  const run = programRunner(process)
  const refused = run('services/nobody/src/main.ts', [], { env: {} })
  await expect(refused).rejects.toMatchObject({ code: 'NOT_HERE', exitCode: 3, outcome: 'refused' })
})
