// docker-compose.yml on a real engine: one story on one set of containers, each chapter beginning where the last one ended.
// Run it by `npm run test:compose`, which sees to an engine and images.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ComposeScene, until } from '../support/compose/compose-scene.ts'
import { nonRoot, ours } from '../support/compose/compose-project.ts'

// As deploy/compose/provider.env has it: inputs of a request, and requests at once.
const inputsAtOnce = 32 * 2
const stopLimitMs = 10_000

let scene: ComposeScene
// Each fault may cost what an embedder had in flight, at most.
let mayBePaidTwice = 0

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
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
    const first = until('the first document is indexed', async () =>
      (await scene.indexed()).length > 0 ? undefined : 'none'
    ).then(() => tell({ upToFirstIndexedSeconds: seconds(began) }))
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
  test.each(['embedder-realtime', 'controller', 'producer', 'local-openai'] as const)(
    'a crash of %s with requests in flight: the engine starts it again, and everything is indexed once',
    async service => {
      await scene.slowDown(1_000)
      await scene.folder.drop(200)
      await scene.untilInFlight()
      const container = await scene.project.containerOf(service)
      mayBePaidTwice += inputsAtOnce
      await scene.project.crash(container)
      await scene.untilHealthy(container, 1)
      await scene.settled()
    }
  )

  test.each(['embedder-batch', 'local-openai'] as const)(
    'a crash of %s with jobs in flight: they are found again',
    async service => {
      await scene.project.pointsman('switch', 'batch', '--reason', 'test')
      await scene.folder.drop(200)
      await scene.untilInJobs()
      const container = await scene.project.containerOf(service)
      const restarts = Number(await scene.project.inspect(container, '{{.RestartCount}}'))
      await scene.project.crash(container)
      await scene.untilHealthy(container, restarts + 1)
      await scene.settled()
      await scene.project.pointsman('switch', 'realtime', '--reason', 'test')
    }
  )

  test('three embedders share the work, and those that stay take over from one that is frozen for longer than its lease', async () => {
    const { project, folder } = scene
    await project.compose('up', '--detach', '--wait', '--scale', 'embedder-realtime=3')
    const containers = await project.containersOf('embedder-realtime')
    expect(containers).toHaveLength(3)
    await scene.slowDown(1_000)
    await folder.drop(400)
    await scene.untilInFlight()

    const [frozen = ''] = containers
    const instance = `embedder-realtime-${await scene.hostnameOf(frozen)}`
    mayBePaidTwice += inputsAtOnce
    await project.docker('pause', frozen)
    await until('its lease has run out', async () => {
      const found = (await scene.status()).instances.find(each => each.instance === instance)
      return found?.alive === false ? undefined : JSON.stringify(found)
    })
    await scene.settled()
    await project.docker('unpause', frozen)
    await scene.untilHealthy(frozen, 0)
    await scene.settled()
  })

  test('one embedder again: the others end with their work done or given back', async () => {
    await scene.slowDown(1_000)
    await scene.folder.drop(200)
    await scene.untilInFlight()
    const before = await scene.paidTwice()
    await scene.project.compose('up', '--detach', '--wait', '--scale', 'embedder-realtime=1')
    expect(await scene.project.containersOf('embedder-realtime')).toHaveLength(1)
    await scene.settled()
    expect(await scene.paidTwice()).toBe(before)
  })

  test.each(['redis', 'weaviate', 'kafka'])(
    'the network to %s is cut with work in flight: all waits, and goes on by itself',
    async service => {
      const { project, folder } = scene
      await scene.slowDown(500)
      await folder.drop(200)
      await scene.untilInFlight()
      const container = await project.containerOf(service)
      const network = `${project.name}_default`
      mayBePaidTwice += inputsAtOnce
      await project.docker('network', 'disconnect', network, container)
      await scene.untilReady(false)
      await folder.drop(50)
      await project.docker('network', 'connect', '--alias', service, network, container)
      await scene.untilReady(true)
      await scene.settled()
    }
  )
})

describe('in the end', () => {
  test('every service of ours stops within ten seconds under load, with exit code 0, and no fault is counted', async () => {
    const { project, folder } = scene
    await scene.slowDown(1_000)
    const before = await scene.paidTwice()
    await folder.drop(300)
    await scene.untilInFlight()
    const stops = ours.map(async service => {
      const container = await project.containerOf(service)
      const began = performance.now()
      await project.compose('stop', service)
      const tookMs = performance.now() - began
      return { service, tookMs, exitCode: await project.inspect(container, '{{.State.ExitCode}}') }
    })
    const stopped = await Promise.all(stops)
    for (const { service, tookMs } of stopped) tell({ service, stopSeconds: Math.round(tookMs / 100) / 10 })
    expect(stopped.filter(({ exitCode, tookMs }) => exitCode !== '0' || tookMs > stopLimitMs)).toEqual([])
    await project.compose('up', '--detach', '--wait')
    await scene.settled()
    expect(await scene.paidTwice()).toBe(before)
  })

  test('the product finds no difference, each document has one object, and only faults were paid for twice', async () => {
    expect(await scene.verify()).toMatchObject({ consistent: true })
    expect(await scene.status()).toMatchObject({ ready: true, deadLetters: 0 })
    const paidTwice = await scene.paidTwice()
    tell({ documents: scene.folder.written, paid: await scene.paid(), paidTwice, mayBePaidTwice })
    expect(paidTwice).toBeLessThanOrEqual(mayBePaidTwice)
    expect((await scene.paid()) - paidTwice).toBe(scene.folder.written)
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
