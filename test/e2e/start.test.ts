import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

const demo = fileURLToPath(new URL('../../tools/demo/main.ts', import.meta.url))
const cli = fileURLToPath(new URL('../../services/controller/src/cli/main.ts', import.meta.url))
const upMain = fileURLToPath(new URL('../../tools/up/main.ts', import.meta.url))
const namespace = `e2e-${randomUUID().slice(0, 8)}`
const folder = fileURLToPath(new URL(`../../.pointsman/${namespace}`, import.meta.url))
const cheap = `${namespace}-cheap`
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await rm(`${folder}-cheap`, { recursive: true, force: true })
})

interface Ended {
  readonly code: unknown
  readonly out: string
  readonly err: string
}

function start(script: string, args: readonly string[], own: NodeJS.ProcessEnv = {}) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, POINTSMAN_NAMESPACE: namespace, ...own }
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => void (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => void (err += chunk.toString()))
  const ended = once(child, 'close').then(([code]): Ended => ({ code, out, err }))
  return { child, ended, out: () => out }
}

const run = (script: string, ...args: readonly string[]): Promise<Ended> => start(script, args).ended

const change = z.looseObject({
  from: z.string(),
  to: z.string(),
  epoch: z.int(),
  cutMs: z.number(),
  firstAdmissionMs: z.number().nullable(),
  unread: z.int(),
  jobsInFlight: z.int()
})

const result = z.looseObject({
  documents: z.int(),
  indexed: z.int(),
  lost: z.int(),
  duplicates: z.int(),
  consistent: z.boolean(),
  sent: z.int(),
  paidTokens: z.int(),
  necessaryTokens: z.int(),
  paidInJobs: z.int(),
  savedUsd: z.number(),
  switches: z.array(change).length(2),
  jobsInFlightAtSwitchBack: z.int(),
  jobsFinishedInBackground: z.int(),
  seconds: z.number(),
  searches: z.array(z.object({ query: z.string(), hits: z.array(z.object({ docId: z.string() })).min(1) }))
})

const demonstration = ['--exit', '--json', '--files', '60']

describe('npm start', () => {
  test('switches under load and back with jobs in flight: nothing lost, nothing paid twice; the second time nothing is paid', async () => {
    const first = await run(demo, ...demonstration, '--namespace', namespace)
    expect(first.code, first.err).toBe(0)
    const once = result.parse(JSON.parse(first.out))
    expect(once).toMatchObject({ lost: 0, duplicates: 0, consistent: true })
    expect(once.documents).toBeGreaterThan(60)
    expect(once.indexed).toBe(once.documents)
    expect(once.paidTokens).toBeGreaterThan(0)
    expect(once.paidTokens).toBe(once.necessaryTokens)

    const [there, back] = once.switches
    expect(there, first.err).toMatchObject({ from: 'realtime', to: 'batch', jobsInFlight: 0 })
    expect(there?.unread, first.err).toBeGreaterThan(0)
    expect(there?.firstAdmissionMs, first.err).toBeGreaterThan(0)
    expect(back).toMatchObject({ from: 'batch', to: 'realtime' })
    expect(back?.epoch).toBeGreaterThan(there?.epoch ?? 0)
    expect(once.jobsInFlightAtSwitchBack, first.err).toBeGreaterThan(0)
    expect(once.jobsFinishedInBackground).toBe(once.jobsInFlightAtSwitchBack)
    expect(once.paidInJobs).toBeGreaterThan(0)
    expect(once.savedUsd).toBeGreaterThan(0)
    expect(first.err).toMatch(/job \S+ is sent: \d+ texts/)
    expect(first.err).toMatch(/Of \d+ jobs? in flight at a switch, all ended in the background/)

    const second = await run(demo, ...demonstration, '--namespace', namespace)
    expect(second.code, second.err).toBe(0)
    const again = result.parse(JSON.parse(second.out))
    expect(again).toMatchObject({
      documents: once.documents,
      indexed: once.indexed,
      lost: 0,
      duplicates: 0,
      sent: 0,
      paidTokens: 0,
      necessaryTokens: 0,
      savedUsd: 0,
      jobsInFlightAtSwitchBack: 0
    })
    expect(again.switches.map(({ to }) => to)).toEqual(['batch', 'realtime'])
    expect(again.switches[0]?.epoch).toBeGreaterThan(back?.epoch ?? 0)
  })

  test('goes the other way round where the batch lane is home', async () => {
    const own = { POINTSMAN_INITIAL_MODE: 'batch' }
    const args = ['--exit', '--json', '--files', '12', '--namespace', cheap]
    const { code, err, out } = await start(demo, args, own).ended
    expect(code, err).toBe(0)
    const found = result.parse(JSON.parse(out))
    expect(found).toMatchObject({ lost: 0, duplicates: 0, consistent: true, indexed: found.documents })
    expect(found.paidTokens).toBe(found.necessaryTokens)
    expect(found.switches.map(({ from, to }) => `${from} to ${to}`)).toEqual([
      'batch to realtime',
      'realtime to batch'
    ])
    expect(found.switches[0]?.jobsInFlight, err).toBeGreaterThan(0)
    expect(found.savedUsd).toBeGreaterThan(0)
  })

  test('stays up for the command line, refuses a second of the same name, and comes down at once', async () => {
    const up = start(cli, ['up', '--json'])
    await vi.waitFor(() => expect(up.out()).toContain('\n'), { timeout: 60_000, interval: 100 })
    const addresses = JSON.parse(up.out())
    expect(Object.keys(addresses)).toEqual([
      'controller',
      'kafka',
      'registry',
      'redis',
      'weaviate',
      'weaviateGrpc',
      'openai',
      'namespace',
      'token'
    ])

    const second = await run(cli, 'up')
    expect(second.code).toBe(3)
    expect(second.err).toContain(`${namespace} is up already`)
    expect(await run(cli, 'verify')).toMatchObject({ code: 0 })
    const found = await run(cli, 'search', 'colours in a table on the terminal', '--json')
    expect(JSON.parse(found.out).hits).toHaveLength(5)
    expect(await run(cli, 'pause', '--reason', 'test')).toMatchObject({
      code: 0,
      out: expect.stringContaining('test')
    })
    expect(await run(cli, 'resume')).toMatchObject({ code: 0 })
    expect(await run(cli, 'doctor')).toMatchObject({ code: 0 })

    expect(await run(cli, 'down')).toMatchObject({ code: 0, out: `${namespace} is down.\n` })
    expect(await up.ended).toMatchObject({ code: 0 })
    expect(await run(cli, 'down')).toMatchObject({ code: 0, out: `${namespace} was not up.\n` })
  })

  test('kill -9 of its process ends everything, and the next start goes on', async () => {
    const killed = start(upMain, ['--namespace', namespace, '--json'])
    await vi.waitFor(() => expect(killed.out()).toContain('\n'), { timeout: 60_000, interval: 100 })
    const { controller, weaviate, openai } = JSON.parse(killed.out())
    killed.child.kill('SIGKILL')
    for (const url of [controller, weaviate, openai]) {
      await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'), {
        timeout: 20_000,
        interval: 200
      })
    }
    expect(await run(cli, 'down')).toMatchObject({ code: 0, out: `${namespace} was not up.\n` })

    const again = start(upMain, ['--namespace', namespace, '--json'])
    await vi.waitFor(() => expect(again.out()).toContain('\n'), { timeout: 60_000, interval: 100 })
    expect(await run(cli, 'verify')).toMatchObject({ code: 0 })
    again.child.kill('SIGINT')
    expect(await again.ended).toMatchObject({ code: 0 })
  })

  test.each([[['--surprise']], [['--files', '0']], [['--namespace', '../x']], [['surprise']]])(
    'refuses the arguments %j with its usage',
    async args => {
      const { code, err, out } = await run(demo, ...args)
      expect(code).toBe(2)
      expect(err).toContain('Usage: npm start')
      expect(out).toBe('')
    }
  )
})
