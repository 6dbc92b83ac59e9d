import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import type { Fetch } from '../../../services/controller/src/cli/api-client.ts'
import { cli, type Controller, startController } from '../../support/controller-cli.ts'
import { documentOf } from '../../support/memory-world.ts'

// Nobody embeds here: the standby lane is never ready.
const unready = '--even-if-unready'

async function laneOf({ world }: Controller): Promise<string> {
  return (await world.ledger.state()).defaultLane
}

/** A request in flight, which a switch that drains waits for. */
async function holdOne({ world }: Controller): Promise<void> {
  await world.produce(documentOf('a', 'text'))
  await world.drain(() => 'open')
}

describe('pointsman switch', () => {
  test('says what happened, when the new lane began, and what to look at next', async () => {
    const controller = await startController()
    const { url, world } = controller
    await world.produce(documentOf('a', 'text'))
    const running = cli(['switch', 'batch', unready, '--reason', 'cheaper'], { url })
    await vi.waitFor(async () => expect(await laneOf(controller)).toBe('batch'))
    world.clock.now += 31
    await world.drain(() => 'open')
    const { exitCode, out, err } = await running
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toMatch(
      /^Switched realtime -> batch, 2 partitions, in \d+ ms \(detach, epoch \d+\); first admission after 31 ms, on all partitions after 31 ms\.\n/
    )
    expect(out).toContain('0 documents of unsent jobs released, 0 jobs in the background. Next: ')
    const { actor, reason } = (await historyOf(url)).switches[0]
    expect(actor).toMatch(/^cli:./)
    expect(reason).toBe('cheaper')
  })

  test('what is so already is no error', async () => {
    const { url } = await startController()
    const { exitCode, out } = await cli(['switch', 'realtime'], { url })
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: 'Nothing to do: realtime has that share of the partitions already.\n'
    })
  })

  test('as JSON it is the report of the API and how the new lane took over', async () => {
    const { url } = await startController()
    const { out } = await cli(['switch', 'batch', unready, '--share', '50%', '--id', 'half', '--json'], {
      url
    })
    expect(JSON.parse(out)).toMatchObject({
      switchId: 'half',
      state: 'completed',
      share: 0.5,
      partitions: [0],
      takeover: { firstAdmissionMs: null, toAdmit: 0, jobsGoingOn: 0 }
    })
  })

  test('a lane that nobody serves is refused with the remedy', async () => {
    const controller = await startController()
    const { exitCode, err } = await cli(['switch', 'batch'], { url: controller.url })
    expect(exitCode).toBe(3)
    expect(err).toContain('no embedder-batch is alive: start one')
    expect(await laneOf(controller)).toBe('realtime')
  })

  test.each([
    [['switch', 'sideways'], 'unknown command'],
    [['switch', 'batch', '--strategy', 'hope'], 'Allowed choices are detach, drain, force'],
    [['switch', 'batch', '--share', '0'], 'It must be a share above 0'],
    [['switch', 'batch', '--share', '101%'], 'It must be a share above 0'],
    [['switch', 'batch', '--deadline', 'soon'], 'It must be a number with s, m or h'],
    [['switch', 'batch', '--expected-epoch', '-1'], 'It must be a whole number']
  ])('%j is a wrong usage', async (args, told) => {
    const { exitCode, err } = await cli(args)
    expect(exitCode).toBe(2)
    expect(err).toContain(told)
  })
})

describe('force and dry runs', () => {
  test('a dry run tells what a switch would do, and does nothing', async () => {
    const controller = await startController()
    const { url } = controller
    const { exitCode, out } = await cli(['switch', 'batch', '--dry-run', '--share', '50%'], { url })
    expect(exitCode).toBe(0)
    expect(out).toContain('detach')
    const json = await cli(['switch', 'batch', '--dry-run', '--json'], { url })
    expect(JSON.parse(json.out)).toMatchObject({ target: 'batch', strategies: expect.any(Array) })
    expect(await laneOf(controller)).toBe('realtime')
    expect((await historyOf(url)).switches).toEqual([])
  })

  test('force shows what it would do, and does it only when somebody says yes', async () => {
    const controller = await startController()
    const { url } = controller
    const args = ['switch', 'batch', unready, '--strategy', 'force']
    const alone = await cli(args, { url })
    expect(alone.exitCode).toBe(3)
    expect(alone.out).toContain('force')
    expect(alone.err).toContain('--yes switches without asking')
    expect(await laneOf(controller)).toBe('realtime')

    const questions: string[] = []
    const confirm = async (question: string) => questions.push(question) > 0
    expect((await cli(args, { url, confirm })).exitCode).toBe(0)
    expect(questions).toEqual(['Switch to batch and cancel jobs?'])
    expect(await laneOf(controller)).toBe('batch')
    const back = await cli(['switch', 'realtime', unready, '--strategy', 'force', '--yes'], { url })
    expect(back.out).toMatch(/^Switched batch -> realtime.*\(force, epoch \d+\)/)
  })
})

describe('answers that get lost', () => {
  test('the call is repeated with the same id, so it is one switch', async () => {
    const controller = await startController()
    let calls = 0
    const losing: Fetch = async (url, init) => {
      const response = await fetch(url, init)
      calls += Number(init.method === 'POST')
      if (init.method === 'POST' && calls <= 2)
        throw new TypeError('fetch failed', { cause: new Error('socket hang up') })
      return response
    }
    const ran = await cli(['switch', 'batch', unready], { url: controller.url, fetch: losing })
    expect(ran.exitCode).toBe(0)
    expect(ran.err).toContain('asking again for the same switch')
    expect(calls).toBe(3)
    expect((await historyOf(controller.url)).switches).toHaveLength(1)
  })

  test('a controller that was never reached is not waited for', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { exitCode, err } = await cli(['switch', 'batch'], { url })
    expect(exitCode).toBe(1)
    expect(err).toContain('not reachable')
    expect(err).not.toContain('whether')
  })

  test('an interrupted call says how to find out', async () => {
    const interrupt = new AbortController()
    const never: Fetch = async (_, { signal }) => {
      interrupt.abort()
      signal?.throwIfAborted()
      throw new Error('not aborted')
    }
    const ran = await cli(['switch', 'batch', '--id', 'mine'], {
      fetch: never,
      interrupted: interrupt.signal
    })
    expect(ran.exitCode).toBe(1)
    expect(ran.err).toContain('whether it was accepted is not known')
    expect(ran.err).toContain('pointsman switch show mine')
  })
})

describe('a switch that drains', () => {
  test('is shown until it ends, by an abort too', async () => {
    const controller = await startController()
    await holdOne(controller)
    const { url } = controller
    const running = cli(['switch', 'batch', unready, '--strategy', 'drain'], { url })
    await vi.waitFor(async () =>
      expect((await cli(['switch', 'current'], { url })).out).toMatch(/left +1 request, 0 jobs, 1 document/)
    )
    const aborted = await cli(['switch', 'abort', '--reason', 'wrong day'], { url })
    expect(aborted.exitCode).toBe(0)
    expect(aborted.out).toMatch(/state +aborted/)

    const { exitCode, err, out } = await running
    expect(exitCode).toBe(3)
    expect(err).toMatch(
      /draining: 1 request and 0 jobs with 1 document left; aborted in (10 min 0 s|9 min 59 s)/
    )
    expect(out).toContain('Not switched: aborted.')
    expect(await laneOf(controller)).toBe('realtime')
    expect((await cli(['switch', 'current'], { url })).out).toBe('No switch is under way.\n')
  })

  test('goes on after Ctrl-C, which says so', async () => {
    const controller = await startController()
    await holdOne(controller)
    const { url, world } = controller
    const interrupt = new AbortController()
    const options = { url, interrupted: interrupt.signal }
    const running = cli(['switch', 'batch', unready, '--strategy', 'drain'], options)
    await vi.waitFor(async () => expect((await world.ledger.state()).draining).toBeDefined())
    interrupt.abort()
    const { exitCode, err } = await running
    expect(exitCode).toBe(1)
    expect(err).toContain('the switch goes on without this command')
    expect((await world.ledger.state()).draining).toBeDefined()
  })
})

describe('--wait', () => {
  test('gives up after its time and names what is left', async () => {
    const controller = await startController()
    await holdOne(controller)
    const args = ['switch', 'batch', unready, '--wait', '--timeout', '0s']
    const { exitCode, err } = await cli(args, { url: controller.url })
    expect(exitCode).toBe(4)
    expect(err).toContain('1 documents from before are left')
    expect(await laneOf(controller)).toBe('batch')
  })

  test('ends when nothing from before the cut is open', async () => {
    const { url } = await startController()
    expect((await cli(['switch', 'batch', unready, '--wait'], { url })).exitCode).toBe(0)
  })
})

describe('looking back', () => {
  test('history tells who, when, from where to where, and how it ended', async () => {
    const { url } = await startController()
    expect((await cli(['switch', 'history'], { url })).out).toBe('No switch yet; epoch 1.\n')
    await cli(['switch', 'batch', unready, '--id', 'first', '--reason', 'night\u001B[2J'], { url })
    const back = await cli(['switch', 'rollback', '--even-if-unready', '--id', 'second'], { url })
    expect(back.out).toContain('Switched batch -> realtime, 2 partitions')
    const { out } = await cli(['switch', 'history'], { url })
    expect(out).toMatch(/when +switch +who +from -> to +strategy +took +documents +outcome +why/)
    expect(out).toMatch(/UTC +second +cli:.* batch -> realtime +detach .* completed/)
    expect(out).toMatch(/UTC +first +cli:.* realtime -> batch +detach .* completed +night\[2J/)
    expect((await cli(['switch', 'history', '-n', '1'], { url })).out).not.toContain('first')
    expect((await cli(['switch', 'show', 'first'], { url })).out).toMatch(/cut at +0: 0, 1: 0/)
    expect(await cli(['switch', 'show', 'third'], { url })).toMatchObject({ exitCode: 3 })
    expect(await cli(['switch', 'abort'], { url })).toMatchObject({ exitCode: 3 })
  })
})

async function historyOf(url: string) {
  return JSON.parse((await cli(['switch', 'history', '--json'], { url })).out)
}
