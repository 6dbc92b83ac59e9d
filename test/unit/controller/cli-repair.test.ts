import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cli, startController } from '../../support/controller-cli.ts'
import { documentOf } from '../../support/memory-world.ts'

const never = new AbortController().signal

async function startWith(...docIds: readonly string[]) {
  const started = await startController()
  await started.world.produce(...docIds.map(docId => documentOf(docId, `text of ${docId}`, { version: 5 })))
  await started.world.drain()
  return started
}

describe('verify --repair', () => {
  test('says what it found and did, and exits with 0 when nothing is left', async () => {
    const { url, world } = await startWith('a', 'b')
    const [object] = world.store.objects.values()
    await world.store.remove(object ? [object.id] : [], never)
    await world.store.write([world.objectOf(documentOf('c', 'nobody knows this'))], never)

    const { exitCode, out } = await cli(['verify', '--repair'], { url })
    expect(out).toContain(
      'Repair: differences found 2; sent again 1, objects removed 1, ledger entries corrected 1.'
    )
    expect(out).toContain('No difference is left; what was sent again is indexed when lag is zero.')
    expect(exitCode).toBe(0)
    await world.drain()
    const again = await cli(['verify', '--repair', '--json'], { url })
    expect(JSON.parse(again.out)).toMatchObject({ consistent: true, quiet: true, repair: null })
  })

  test('names what it left, with the remedy, and exits with 1', async () => {
    const { url, world } = await startWith('a')
    await world.store.write([world.objectOf(documentOf('a', 'from elsewhere'), 9)], never)
    const { exitCode, out } = await cli(['verify', '--repair', '--all'], { url })
    expect(out).toMatch(
      /1 left: an object that the ledger does not know yet: look again when lag is zero\n {2}a\n/
    )
    expect(exitCode).toBe(1)
  })

  test('is refused while the ledger is rebuilt', async () => {
    const { url, world } = await startWith('a')
    await world.ledger.distrust((await world.ledger.state()).ledgerId, 'lost')
    await world.ledger.open('realtime')
    const { err, exitCode, out } = await cli(['verify', '--repair'], { url })
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
    expect(err).toContain('pointsman rebuild --wait')
  })

  test('alone lets --remove-unknown be asked for', async () => {
    expect(await cli(['verify', '--remove-unknown'])).toMatchObject({ exitCode: 2 })
  })
})

describe('rebuild', () => {
  test('begins only when that is confirmed, and with a reason', async () => {
    const { url, world } = await startWith('a')
    const { ledgerId } = await world.ledger.state()
    expect(await cli(['rebuild'], { url })).toMatchObject({ exitCode: 2 })
    const refused = await cli(['rebuild', '--reason', 'restored by hand'], { url })
    expect(refused).toMatchObject({ exitCode: 3, err: expect.stringContaining('--yes begins it') })
    expect((await world.ledger.state()).ledgerId).toBe(ledgerId)

    const asked: string[] = []
    const confirm = async (question: string) => asked.push(question) > 0
    const begun = await cli(['rebuild', '--reason', 'restored by hand'], { url, confirm })
    expect(begun).toMatchObject({ exitCode: 0 })
    expect(begun.out).toContain('The ledger is distrusted (restored by hand). Nothing is admitted until')
    expect(asked).toEqual([expect.stringContaining('may be paid for twice')])
    expect((await world.ledger.open('realtime')).rebuild?.because).toBe('restored by hand')
  })

  test('is waited for, with its progress, also when somebody else began it', async () => {
    const { url, world } = await startWith('a')
    const { ledgerId } = await world.ledger.state()
    const running = cli(['rebuild', '--reason', 'test', '--yes', '--wait', '--json'], { url })
    while (world.ledgerServer.state?.ledgerId === ledgerId) await setImmediate()
    await world.ledger.open('realtime')
    await world.ledger.noteRebuild({ stage: 'index', done: 3, total: 4 })

    const second = cli(['rebuild', '--wait'], { url })
    const status = await cli(['status'], { url })
    expect(status.out).toMatch(/ledger +rebuilt since .*: test; reading the index: 3\/4 \(75\.0 %\)/)
    expect(status.out).toContain('rebuilding, epoch 1')
    expect((await cli(['lag'], { url })).out).toMatch(/REBUILDING.*\n[^]*ledger: rebuilt since/)
    await world.ledger.endRebuild({ epoch: 7, defaultLane: 'realtime', partitions: new Map() })

    const done = await running
    expect(JSON.parse(done.out)).toEqual({ begun: true, because: 'test', tookMs: expect.any(Number) })
    expect((await second).out).toMatch(/^The ledger is rebuilt, after .*: admission goes on\.\n$/)
    expect(done.exitCode).toBe(0)
  })

  test('gives up waiting when its time is over: the rebuild goes on', async () => {
    const { url, world } = await startWith('a')
    await world.ledger.distrust((await world.ledger.state()).ledgerId, 'lost')
    await world.ledger.open('realtime')
    const { err, exitCode } = await cli(['rebuild', '--wait', '--timeout', '0.001s'], { url })
    expect(exitCode).toBe(4)
    expect(err).toContain('no controller has begun yet')
  })
})

test('status tells what the sweeper does', async () => {
  const { url } = await startWith('a')
  expect((await cli(['status'], { url })).out).toContain(
    '0 walks, rests: it has not begun; 0 removed, 0 corrected'
  )
})
