import { expect, test } from 'vitest'
import { requireEngine } from '../../support/require-engine.ts'

const answers = (): Promise<void> => Promise.resolve()
const fails = (): Promise<never> => Promise.reject(new Error('no such file or directory'))

test('an engine with compose is enough', async () => {
  await expect(requireEngine(answers, answers)).resolves.toBeUndefined()
})

test('without an engine the message says how to get one, and how to do without', async () => {
  await expect(requireEngine(fails, answers)).rejects.toThrow(
    /needs a container engine, and none answers: start Docker, or set DOCKER_HOST to one; or leave TEST_STACK away/
  )
})

test('without compose the message names the plugin', async () => {
  await expect(requireEngine(answers, fails)).rejects.toThrow(/needs Docker Compose 2.*docker-compose-plugin/)
})
