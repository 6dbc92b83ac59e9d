import { describe, expect, test } from 'vitest'
import type { ProcessRunner } from '../../../services/controller/src/cli/process-runner.ts'
import { cli, startController } from '../../support/controller-cli.ts'
import { documentOf } from '../../support/memory-world.ts'

describe('exit codes and errors', () => {
  test('a controller that is not there is named, with what to do', async () => {
    const { exitCode, err, out } = await cli(['status'])
    expect(exitCode).toBe(1)
    expect(err).toContain('not reachable at http://127.0.0.1:9')
    expect(err).toContain('pointsman up')
    expect(out).toBe('')
  })

  test('errors are JSON when JSON was asked for', async () => {
    const { err } = await cli(['lag', '--json'])
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'UNREACHABLE', exitCode: 1 } })
  })

  test.each([
    [['nonsense']],
    [['search']],
    [['search', 'x', '--limit', '0']],
    [['verify', '--timeout', 'soon']],
    [['dead-letters', 'replay']],
    [['dead-letters', 'replay', '0-1', '--all']],
    [['ingest']],
    [['status', '--surprise']]
  ])('%j is wrong usage', async args => {
    const { exitCode, err } = await cli(args)
    expect(exitCode).toBe(2)
    expect(err).not.toBe('')
  })

  test('a refusal says why and exits with 3', async () => {
    const { url } = await startController('the-token-of-the-test')
    const { exitCode, err } = await cli(['pause'], { url })
    expect(exitCode).toBe(3)
    expect(err).toContain('Authorization')
    expect(err).toContain('POINTSMAN_API_TOKEN')
  })

  test('a controller that does not answer in time exits with 4', async () => {
    const within = () => AbortSignal.abort(new DOMException('late', 'TimeoutError'))
    const { exitCode, err } = await cli(['status'], { within })
    expect(exitCode).toBe(4)
    expect(err).toContain('did not answer in time')
  })

  test('help is no error and shows examples', async () => {
    const { exitCode, out } = await cli(['--help'])
    expect(exitCode).toBe(0)
    expect(out).toContain('pointsman ingest ./docs --wait')
    expect((await cli(['ingest', '--help'])).out).toContain('standard input')
    expect((await cli(['--version'])).out).toBe('1.2.3\n')
  })
})

describe('what the commands show', () => {
  test('status and lag as text, and as the JSON of the API', async () => {
    const { url, world } = await startController()
    await world.produce(documentOf('a', 'text'))
    const status = await cli(['status'], { url })
    expect(status.out).toMatch(/test {2}not ready/)
    expect(status.out).toMatch(/mode +realtime \(2 partitions realtime, 0 batch\), stable, epoch 1/)
    const lag = await cli(['lag'], { url })
    expect(lag.out).toMatch(/partition +status +lag +unread +admitted/)
    const json = await cli(['lag', '--json'], { url })
    expect(JSON.parse(json.out)).toMatchObject({ totals: { unread: 1 } })
    expect(json.out.trim().split('\n')).toHaveLength(1)
  })

  test('no colours without a terminal, colours on one', async () => {
    const { url } = await startController()
    expect((await cli(['status'], { url })).out).not.toContain('\u001B')
    expect((await cli(['status'], { url, isColoured: true })).out).toContain('\u001B[')
  })

  test('hostile titles and texts cannot command the terminal', async () => {
    const { url, world } = await startController()
    const evil = '\u001B]0;owned\u0007\u001B[2Jinnocent\u202Egnp.exe\r\nnext'
    await world.produce(documentOf('a\u001B[31m', evil, { title: evil }))
    await world.drain()
    const { out } = await cli(['search', evil], { url, isColoured: false })
    expect(out).toContain('innocent')
    // oxlint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/)
  })

  test('verify exits with 1 and names the difference', async () => {
    const { url, world } = await startController()
    await world.produce(documentOf('a', 'text'), documentOf('b', 'other'))
    await world.drain()
    const before = await cli(['verify'], { url })
    expect(before).toMatchObject({ exitCode: 0 })
    expect(before.out).toContain('No difference: every document is where it should be.')

    await world.store.remove([...world.store.objects.keys()].slice(0, 1), new AbortController().signal)
    const after = await cli(['verify'], { url })
    expect(after.exitCode).toBe(1)
    expect(after.out).toMatch(/1 missing: .*\n {2}[ab] version 1 \(partition \d, offset \d\)/)
    const json = await cli(['verify', '--json', '--examples', '0'], { url })
    expect(JSON.parse(json.out)).toMatchObject({
      consistent: false,
      differences: { missing: { count: 1, examples: [] } }
    })
  })

  test('dead letters are listed, shown and replayed', async () => {
    const { url, world } = await startController()
    expect((await cli(['dead-letters'], { url })).out).toBe('No dead letters.\n')
    await world.produce(documentOf('a', 'poison'))
    await world.drain(() => 'dead')
    expect((await cli(['dead-letters', 'list'], { url })).out).toMatch(/0-0 +a +3 .* planted/)
    expect((await cli(['dead-letters', 'show', '0-0'], { url })).out).toContain('poison')
    expect(await cli(['dead-letters', 'show', '0-9'], { url })).toMatchObject({ exitCode: 3 })
    expect((await cli(['dead-letters', 'replay', '--all'], { url })).out).toBe('1 sent again.\n')
  })

  test('pause shows its reason, resume ends it', async () => {
    const { url, world } = await startController()
    expect((await cli(['pause', '--reason', 'upgrade'], { url })).out).toContain('Paused: upgrade.')
    expect((await cli(['status'], { url })).out).toMatch(/paused since .* UTC: upgrade/)
    expect((await cli(['resume'], { url })).exitCode).toBe(0)
    expect((await world.ledger.state()).pause).toBeUndefined()
  })
})

describe('ingest', () => {
  const report = {
    event: 'report',
    documents: 3,
    unchanged: 1,
    emitted: 2,
    tombstones: 0,
    tokens: 12,
    rejected: [{ path: 'bad\u001B.pdf', reason: 'encrypted' }],
    rejectedTotal: 1,
    notices: [],
    stopped: false,
    seconds: 1.5
  }

  test('runs the producer with the paths and its own options, and shows its report', async () => {
    const ran: (readonly string[])[] = []
    const run: ProcessRunner = async (path, args, { onLine }) => {
      ran.push([path, ...args])
      await onLine?.('not json')
      await onLine?.(JSON.stringify(report))
      return 0
    }
    const { exitCode, out } = await cli(['ingest', 'docs', '--', '--chunk-tokens', '200'], { run })
    expect(ran).toEqual([['services/producer/src/main.ts', '--json', 'docs', '--chunk-tokens', '200']])
    expect(exitCode).toBe(0)
    expect(out).toBe(
      '3 texts read in 2 s: 2 documents sent (12 tokens), 1 unchanged, 0 deleted\n1 rejected:\n  bad.pdf: encrypted\n'
    )
  })

  test('with --wait it shows progress until all is settled', async () => {
    const { url, world } = await startController()
    const run: ProcessRunner = async (_, __, { onLine }) => {
      await world.produce(documentOf('a', 'one'), documentOf('b', 'two'))
      await onLine?.(JSON.stringify(report))
      await world.drain()
      world.clock.now += 1000
      return 0
    }
    const { err, out } = await cli(['ingest', 'docs', '--wait', '--json'], { url, run })
    expect(err).toMatch(/^2\/2 \(100\.0 %\)/)
    expect(JSON.parse(out)).toMatchObject({ emitted: 2, settled: { done: 2, total: 2, failed: 0 } })
  })

  test('with --follow it shows each round as it comes, and ends as the producer does', async () => {
    const ran: (readonly string[])[] = []
    const run: ProcessRunner = async (_, args, { onLine }) => {
      ran.push(args)
      await onLine?.(JSON.stringify({ event: 'following', paths: ['docs'], intervalMs: 5000 }))
      await onLine?.(JSON.stringify({ ...report, rejected: [], rejectedTotal: 0 }))
      await onLine?.(JSON.stringify({ event: 'waiting', reason: 'no broker answers', retryInMs: 250 }))
      await onLine?.(
        JSON.stringify({ ...report, documents: 1, rejected: [], rejectedTotal: 0, stopped: true })
      )
      return 0
    }

    const { exitCode, out, err } = await cli(['ingest', 'docs', '--follow'], { run })

    expect(exitCode).toBe(0)
    expect(ran).toEqual([['--json', '--follow', 'docs']])
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^3 texts read/),
      expect.stringMatching(/^1 texts read/),
      ''
    ])
    expect(err).toContain('waiting: no broker answers')
    expect((await cli(['ingest', 'docs', '--', '--follow'], { run: async () => 3 })).exitCode).toBe(3)
    expect((await cli(['ingest', 'docs', '--follow', '--wait'], { run })).exitCode).toBe(2)
  })

  test('what is not settled in time exits with 4 and says why', async () => {
    const { url, world } = await startController()
    const run: ProcessRunner = async (_, __, { onLine }) => {
      await world.produce(documentOf('a', 'one'))
      world.clock.now += 1000
      await onLine?.(JSON.stringify(report))
      return 0
    }
    const { exitCode, err } = await cli(['ingest', 'docs', '--wait', '--timeout', '0s'], { url, run })
    expect(exitCode).toBe(4)
    expect(err).toMatch(/not settled in time \(\w+: /)
  })

  test('a producer that is used wrongly hands its exit code on', async () => {
    expect((await cli(['ingest', 'nowhere'], { run: async () => 2 })).exitCode).toBe(2)
    expect((await cli(['ingest', 'docs'], { run: async () => 1 })).exitCode).toBe(1)
  })
})
