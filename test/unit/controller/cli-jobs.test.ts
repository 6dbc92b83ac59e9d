import { textHash } from '@pointsman/core/runtime/identity'
import { describe, expect, test } from 'vitest'
import type { ProcessRunner } from '../../../services/controller/src/cli/process-runner.ts'
import { cli, startController } from '../../support/controller-cli.ts'
import { MemoryJobs } from '../../support/memory-jobs.ts'
import { documentOf } from '../../support/memory-world.ts'

async function start() {
  const { url, world } = await startController()
  const jobs = await MemoryJobs.open(world)
  const submit = () =>
    jobs.begin(3, 'submitted', {
      lines: 3,
      tokens: 30,
      batchId: 'batch_42',
      status: 'in\u001B[31m_progress',
      submittedMs: world.clock.now
    })
  return { url, world, jobs, submit }
}

describe('jobs', () => {
  test('are listed, also as JSON, and nothing that the provider says commands the terminal', async () => {
    const { url, jobs, submit } = await start()
    expect((await cli(['jobs'], { url })).out).toBe('No job lives.\n')
    await jobs.archive(await jobs.begin(1, 'terminal', { status: 'completed', lines: 1 }))
    const id = await submit()

    const { out } = await cli(['jobs', 'list'], { url })

    expect(out).toMatch(new RegExp(`${id} +submitted +in\\[31m_progre… +3 +0 +0 +3 `))
    expect(out).toContain(' in 24 h 0 min ')
    expect(out).toContain('1 job; 3 documents wait for them.')
    expect(out).toMatch(/over\n *job +state[^\n]*\n *1\.1\.2 +archived +completed/)
    expect(out).not.toContain('\u001B')
    const json = JSON.parse((await cli(['jobs', '--json', '--past', '0'], { url })).out)
    expect(json).toMatchObject({ live: [{ id, documents: 3 }], past: [] })
  })

  test('are shown with what will happen next', async () => {
    const { url, submit } = await start()
    await submit()
    const { out } = await cli(['jobs', 'show', 'batch_4'], { url })
    expect(out).toMatch(/documents +3 wait for it/)
    expect(out).toContain('Next: the provider works on it; when it ends its results are read.')
  })

  test('are cancelled by leaving an order; what cannot be cancelled is refused with the reason', async () => {
    const { url, jobs, submit } = await start()
    const id = await submit()
    expect(await cli(['jobs', 'cancel', id], { url })).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/ordered +cancel/)
    })
    const open = await jobs.begin(1, 'open')
    const refused = await cli(['jobs', 'cancel', open], { url })
    expect(refused).toMatchObject({ exitCode: 3, out: '' })
    expect(refused.err).toContain('not at the provider yet')
    expect(await cli(['jobs', 'show', 'nonsense'], { url })).toMatchObject({ exitCode: 3 })
  })

  test('are given up only when that is confirmed, by --yes or by somebody', async () => {
    const { url, world, submit } = await start()
    const id = await submit()
    const order = async () =>
      (await world.ledger.survey()).obligations.find(found => found.id === id)?.job?.order

    const dryRun = await cli(['jobs', 'abandon', id], { url })
    expect(dryRun.exitCode).toBe(3)
    expect(dryRun.out).toContain('Up to 3 texts (30 tokens, $0.0000) may be paid for twice')
    expect(dryRun.err).toContain('--yes')
    expect(await order()).toBe('')

    const asked: string[] = []
    const confirm = async (question: string) => asked.push(question) > 0
    const done = await cli(['jobs', 'abandon', 'batch_42'], { url, confirm })
    expect(asked).toEqual([`Give up job ${id}?`])
    expect(done).toMatchObject({ exitCode: 0, out: expect.stringContaining(`Job ${id} is given up.`) })
    expect(await order()).toBe('abandon')

    const json = await cli(['jobs', 'abandon', id, '--yes', '--json'], { url })
    expect(JSON.parse(json.out)).toMatchObject({ ordered: true, tokens: 30 })
  })

  test('are part of the status', async () => {
    const { url, submit } = await start()
    await submit()
    expect((await cli(['status'], { url })).out).toMatch(/jobs +1 submitted; 3 documents wait, oldest 0 ms/)
  })
})

describe('estimate', () => {
  const counted = {
    event: 'estimate',
    documents: 4,
    unchanged: 1,
    emitted: 4,
    chunks: 2,
    tombstones: 1,
    tokens: 3_000_000,
    distinct: { texts: 3, tokens: 2_500_000, lineBytes: 900 },
    rejected: [{ path: 'bad.pdf', reason: 'encrypted' }],
    rejectedTotal: 1,
    notices: ['of the producer'],
    stopped: false,
    seconds: 2
  }
  const texts = [
    [textHash('known'), 500_000, 300],
    [textHash('new'), 400_000, 300],
    [textHash('newer'), 400_000, 300]
  ]
  const producer =
    (ran: (readonly string[])[] = []): ProcessRunner =>
    async (_, args, { onLine }) => {
      ran.push(args)
      await onLine?.(JSON.stringify({ event: 'progress', documents: 1, emitted: 1 }))
      await onLine?.(JSON.stringify({ event: 'texts', texts }))
      await onLine?.(JSON.stringify(counted))
      return 0
    }

  test('leaves out what is in the index, and tells both lanes', async () => {
    const { url, world } = await start()
    await world.produce(documentOf('a', 'known'))
    await world.drain()
    const ran: (readonly string[])[] = []

    const { out, exitCode } = await cli(['estimate', 'docs', '--', '--chunk-tokens', '200'], {
      url,
      run: producer(ran)
    })

    expect(ran).toEqual([['--json', '--estimate', 'docs', '--chunk-tokens', '200']])
    expect(exitCode).toBe(0)
    expect(out).toMatch(/to send +4 documents \(2 of them chunks\), 3,000,000 tokens; 1 deletions/)
    expect(out).toMatch(/in the index +1 texts, 500,000 tokens/)
    expect(out).toMatch(/to be paid +2 texts, 800,000 tokens/)
    expect(out).toMatch(/realtime +\$0\.8000 +48 s +1,000,000 tokens a minute/)
    expect(out).toMatch(/batch +\$0\.4000 +up to 24 h 0 min +2 jobs, no job was completed yet/)
    expect(out).toContain('The batch lane saves $0.4000 (50.0 %).')
    expect(out).toContain('bad.pdf: encrypted')
    expect(out).toContain('note: of the producer')
  })

  test('needs no controller, and says what it could not take into account', async () => {
    const { out, exitCode } = await cli(['estimate', 'docs', '--json'], { run: producer() })
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      model: 'text-embedding-3-small',
      indexed: null,
      toPay: { texts: 3, tokens: 1_300_000, jobs: 3 },
      lanes: { realtime: { usd: expect.closeTo(0.026, 9) }, batch: { usd: expect.closeTo(0.013, 9) } },
      notices: [expect.stringContaining('not reachable'), 'of the producer']
    })
  })

  test('a producer that is used wrongly hands its exit code on', async () => {
    expect((await cli(['estimate', 'nowhere'], { run: async () => 2 })).exitCode).toBe(2)
    expect((await cli(['estimate', 'docs'], { run: async () => 0 })).exitCode).toBe(1)
  })
})

test('a replay names what it leaves out', async () => {
  const { url, world } = await start()
  await world.produce(documentOf('a', 'poison'))
  await world.drain(() => 'dead')
  expect((await cli(['dead-letters', 'replay', '--document', 'a'], { url })).out).toBe('1 sent again.\n')
  await world.drain()
  const again = await cli(['dead-letters', 'replay', '--reason', 'planted'], { url })
  expect(again).toMatchObject({ exitCode: 0 })
  expect(again.out).toBe(
    '0 sent again, 1 left out:\n  0-0 a: it was sent again before, and is in the index\n'
  )
  expect((await cli(['dead-letters', 'replay', '0-0', '--reason', 'x'], { url })).exitCode).toBe(2)
})
