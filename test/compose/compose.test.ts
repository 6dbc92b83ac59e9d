// docker-compose.yml on a real engine: one story on one set of containers, each chapter beginning where the last one ended.
// Run it by `npm run test:compose`, which sees to an engine and images.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ComposeScene, until } from '../support/compose/compose-scene.ts'
import { nonRoot, ours } from '../support/compose/compose-project.ts'

// k of one embedder, as deploy/compose/provider.env has it: inputs of a request, and requests at once.
const inputsAtOnce = 32 * 2
const stopLimitMs = 10_000
// Nine containers, each waiting for those that it needs, on a busy computer.
const upLimitMs = 500_000

// Their texts are paid for as well.
const searches = 1

let scene: ComposeScene

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

/** Inputs that are paid for a second time because of what is done. */
async function costOf(fault: string, act: () => Promise<void>): Promise<number> {
  const before = await scene.paidTwice()
  await act()
  const paidTwice = (await scene.paidTwice()) - before
  tell({ fault, paidTwice })
  return paidTwice
}

const seconds = (fromMs: number): number => Math.round((performance.now() - fromMs) / 100) / 10

beforeAll(async () => {
  scene = await ComposeScene.open()
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') tell({ logs: await scene.project.keepLogs() })
})
afterAll(async () => {
  const began = performance.now()
  await scene[Symbol.asyncDispose]()
  tell({ downSeconds: seconds(began) })
})

describe('docker compose up', () => {
  test('has nothing to complain about in the file', async () => {
    expect(await scene.project.compose('config', '--quiet')).toBe('')
  })

  test('brings everything up, healthy, and indexes the folder by itself', async () => {
    const { project, folder } = scene
    await folder.drop(40)
    const beganBuild = performance.now()
    await project.compose('build', '--quiet')
    tell({ buildSeconds: seconds(beganBuild) })

    const began = performance.now()
    const up = project.compose('up', '--detach', '--wait', '--build', '--quiet-pull')
    const isFirst = async (): Promise<string | undefined> =>
      (await scene.indexed()).length > 0 ? undefined : 'none'
    const first = until('the first document is indexed', isFirst, upLimitMs).then(() =>
      tell({ upToFirstIndexedSeconds: seconds(began) })
    )
    await Promise.all([up.then(() => tell({ upToHealthySeconds: seconds(began) })), first])
    await scene.settled()
    tell({ upToAllIndexedSeconds: seconds(began) })
    expect(await scene.verify()).toMatchObject({ consistent: true })
  })

  test('has small images whose users are not root, without a shell, on a root that nobody can write to', async () => {
    const { project } = scene
    for (const service of ours) {
      const image = project.imageOf(service)
      const bytes = Number(await project.inspect(image, '{{.Size}}'))
      tell({ image: service, megabytes: Math.round(bytes / 1e5) / 10 })
      expect(await project.inspect(image, '{{.Config.User}}')).toBe(nonRoot)
      const container = await project.containerOf(service)
      expect(await project.inspect(container, '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}')).toBe(
        'true [ALL]'
      )
      const processes = (await project.docker('top', container, '-eo', 'pid,uid,gid')).trim().split('\n')
      const users = processes.slice(1).map(line => line.trim().split(/\s+/).slice(1).join(':'))
      expect([...new Set(users)]).toEqual([nonRoot])
      const shell = project.docker('run', '--rm', '--entrypoint', '/bin/sh', image, '-c', 'true')
      await expect(shell).rejects.toThrow('no such file or directory')
    }
  })

  test('changes nothing when it is brought up a second time', async () => {
    const ids = async (): Promise<string> => scene.project.compose('ps', '--quiet')
    const before = await ids()
    await scene.project.compose('up', '--detach', '--wait')
    expect(await ids()).toBe(before)
  })
})

describe('the mounted folder', () => {
  test('is followed: what is new, changed or removed there is so in the index, and is found', async () => {
    const { project, folder } = scene
    const [changed = '', removed = ''] = await folder.drop(5)
    await folder.write(
      'recipe.txt',
      'Knead the dough, let it rise for an hour, and bake the bread until it is golden.'
    )
    await scene.settled()
    await folder.write(changed)
    await folder.remove(removed)
    await scene.settled()

    const found = await project.pointsman('search', 'how do I make a loaf')
    expect(found).toMatchObject({ hits: expect.arrayContaining([expect.objectContaining({})]) })
    expect(JSON.stringify(found)).toContain('Knead the dough')
  })
})

describe('changing lanes', () => {
  test('goes to batch by the command line in the container, and back by REST with jobs in flight', async () => {
    const { project, folder } = scene
    await project.pointsman('switch', 'batch', '--reason', 'test')
    await folder.drop(300)
    await scene.untilInJobs()
    const { status } = await project.rest('/v1/switches', {
      target: 'realtime',
      reason: 'test',
      actor: 'test'
    })
    expect(status).toBe(200)
    await folder.drop(100)
    await scene.settled()
    expect((await scene.status()).ledger?.mode).toBe('realtime')
    expect(await scene.paidTwice()).toBe(0)
  })
})

describe('faults', () => {
  test.each([
    ['embedder-realtime', inputsAtOnce],
    ['controller', 0],
    ['producer', 0],
    ['local-openai', inputsAtOnce]
  ] as const)(
    'a crash of %s with requests in flight: the engine starts it again, everything is indexed once, and at most %i inputs are paid for twice',
    async (service, most) => {
      await scene.slowDown(1_000)
      const cost = await costOf(`crash of ${service}`, async () => {
        await scene.folder.drop(200)
        await scene.untilInFlight()
        await scene.crash(service)
        await scene.settled()
      })
      expect(cost).toBeLessThanOrEqual(most)
    }
  )

  test.each(['embedder-batch', 'local-openai'] as const)(
    'a crash of %s with jobs in flight: they are found again, and nothing is paid for twice',
    async service => {
      await scene.project.pointsman('switch', 'batch', '--reason', 'test')
      const cost = await costOf(`crash of ${service} with jobs`, async () => {
        await scene.folder.drop(200)
        await scene.untilInJobs()
        await scene.crash(service)
        await scene.settled()
      })
      expect(cost).toBe(0)
      await scene.project.pointsman('switch', 'realtime', '--reason', 'test')
    }
  )

  test('three embedders share the work, and the others take over from one that is frozen for longer than its lease', async () => {
    const { project, folder } = scene
    await project.compose('up', '--detach', '--wait', '--scale', 'embedder-realtime=3')
    const containers = await project.containersOf('embedder-realtime')
    expect(containers).toHaveLength(3)
    const [frozen = ''] = containers
    const instance = `embedder-realtime-${await scene.hostnameOf(frozen)}`
    const restarts = await scene.restartsOf(frozen)
    await scene.slowDown(1_000)
    const cost = await costOf('freeze of an embedder', async () => {
      await folder.drop(400)
      await scene.untilInFlight()
      await project.docker('pause', frozen)
      await until('its lease has run out', async () => {
        const found = (await scene.status()).instances.find(each => each.instance === instance)
        return found?.alive === false ? undefined : JSON.stringify(found)
      })
      await scene.settled()
      await project.docker('unpause', frozen)
      await scene.untilHealthy(frozen, restarts)
      await scene.settled()
    })
    expect(cost).toBeLessThanOrEqual(inputsAtOnce)
  })

  test('one embedder again: the others end with their work done or given back', async () => {
    await scene.slowDown(1_000)
    const cost = await costOf('scaling down', async () => {
      await scene.folder.drop(200)
      await scene.untilInFlight()
      await scene.project.compose('up', '--detach', '--wait', '--scale', 'embedder-realtime=1')
      await scene.settled()
    })
    expect(cost).toBe(0)
    expect(await scene.project.containersOf('embedder-realtime')).toHaveLength(1)
  })

  test.each(['redis', 'weaviate', 'kafka'])(
    'the network to %s is cut with work in flight: all waits, and goes on by itself',
    async service => {
      const { project, folder } = scene
      const network = `${project.name}_default`
      const container = await project.containerOf(service)
      await scene.slowDown(500)
      const cost = await costOf(`cut network to ${service}`, async () => {
        await folder.drop(200)
        await scene.untilInFlight()
        await project.docker('network', 'disconnect', network, container)
        await scene.untilReady(false)
        await folder.drop(50)
        await project.docker('network', 'connect', '--alias', service, network, container)
        await scene.untilReady(true)
        await scene.settled()
      })
      expect(cost).toBeLessThanOrEqual(inputsAtOnce)
    }
  )
})

describe('in the end', () => {
  test('every service of ours stops within ten seconds under load, with exit code 0, and nothing is paid for twice', async () => {
    const { project, folder } = scene
    await scene.slowDown(1_000)
    const cost = await costOf('stop', async () => {
      await folder.drop(300)
      await scene.untilInFlight()
      const stopped = await Promise.all(ours.map(service => scene.stop(service)))
      for (const { service, tookMs } of stopped) tell({ service, stopSeconds: Math.round(tookMs / 100) / 10 })
      expect(stopped.filter(({ exitCode, tookMs }) => exitCode !== '0' || tookMs > stopLimitMs)).toEqual([])
      await project.compose('up', '--detach', '--wait')
      await scene.settled()
    })
    expect(cost).toBe(0)
  })

  test('the product finds no difference, each document has one object, and whatever was paid for was written or searched for', async () => {
    expect(await scene.verify()).toMatchObject({ consistent: true })
    expect(await scene.status()).toMatchObject({ ready: true, deadLetters: 0 })
    const [paid, paidTwice] = [await scene.paid(), await scene.paidTwice()]
    tell({ texts: scene.folder.written, searches, paid, paidTwice })
    expect(paid - paidTwice).toBe(scene.folder.written + searches)
  })

  test('nobody wrote anything outside of the declared volumes', async () => {
    for (const service of ours) expect(await scene.project.strayWritesOf(service), service).toEqual([])
  })

  test('nothing stays when it is taken down with its volumes', async () => {
    const { name } = scene.project
    await scene.project.compose('down', '--volumes', '--timeout', '10')
    const filter = ['--filter', `label=com.docker.compose.project=${name}`, '--quiet']
    expect(await scene.project.docker('ps', '--all', ...filter)).toBe('')
    expect(await scene.project.docker('volume', 'ls', ...filter)).toBe('')
    expect(await scene.project.docker('network', 'ls', ...filter)).toBe('')
  })
})
