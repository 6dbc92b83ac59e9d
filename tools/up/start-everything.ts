// The whole of Pointsman on this computer: servers, local OpenAI when there is no key, controller and embedders.
// Data, logs and the token are kept under .pointsman/<namespace>, so that a second start goes on where the first ended.

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RunFile, runFilePath, runFolder } from '../../services/controller/src/cli/run-file.ts'
import { holderOf, tryLock } from '../bootstrap/lock.mjs'
import { identify, pidOf } from '../bootstrap/process-identity.mjs'
import { isFree, reservePortBlock } from '../stack/ports.ts'
import { startStack } from '../stack/start-stack.ts'
import { openWatchdog } from '../stack/watchdog.ts'
import { embedderMemory } from './embedder-memory.ts'
import { chooseEmbedding, keepEmbedding } from './embedding-choice.ts'
import { keepPartsUp } from './keep-parts-up.ts'
import { jobClock, localUsdPerMillionTokens, quickJobs, slowModel } from './local-pace.ts'
import { Service } from './service.ts'
import { untilWarm } from './until-warm.ts'
import { UpError } from './up-error.ts'

export interface UpOptions {
  readonly namespace: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Gets what a person wants to know, line by line. */
  readonly tell: (text: string) => void
}

export interface Up extends AsyncDisposable {
  readonly addresses: RunFile
  readonly folder: string
  /** Aborted, with the reason, when a service cannot go on. */
  readonly failed: AbortSignal
}

const usualPort = 7070
const readyLimitMs = 120_000
const askEveryMs = 100
const watchdogGraceSeconds = 8

/** A second one of the same name. */
export class AlreadyUp extends Error {
  override readonly name = 'AlreadyUp'
}

/**
 * @throws {AlreadyUp} when this namespace is up already.
 * @throws {UpError} with what is missing or wrong; then nothing is left running.
 */
export async function startEverything({ namespace, env, tell }: UpOptions, signal: AbortSignal): Promise<Up> {
  const folder = runFolder(namespace)
  await using owned = new AsyncDisposableStack()
  await takeName(namespace, folder, owned)
  const embedding = chooseEmbedding(env)
  await keepEmbedding(folder, embedding)
  const token = env['POINTSMAN_API_TOKEN'] || (await keepToken(folder))
  const block = owned.use(await reservePortBlock())
  // Asked here to refuse early, and again when it is taken: somebody else may have been faster.
  await choosePort(env['CONTROLLER_PORT'], block.first)

  const stack = owned.use(await startStack({ dataDir: join(folder, 'stack'), signal }))
  const stopping = new AbortController()
  const minding = keepPartsUp(stack.parts, tell, stopping.signal)
  owned.defer(async () => {
    stopping.abort()
    await minding
  })

  const watchdog = owned.use(openWatchdog(watchdogGraceSeconds, undefined))
  const failed = new AbortController()
  const onUnfit = (problem: UpError): void => failed.abort(problem)
  const start = async (
    name: string,
    script: string,
    args: readonly string[],
    own: UpOptions['env']
  ): Promise<void> => {
    const logPath = join(folder, 'logs', `${name}.log`)
    const plan = { name, script, args, env: { ...env, ...own }, logPath }
    await owned.use(new Service(plan, { watchdog, tell, onUnfit })).start()
  }

  const openaiPort = block.first + 1
  const openai = embedding.openai?.baseUrl ?? `http://127.0.0.1:${openaiPort}/v1`
  if (!embedding.openai) {
    const model = ['--vectors', 'minilm', '--minilm-dir', stack.env.MINILM_DIR]
    const args = ['--port', String(openaiPort), '--data-dir', join(folder, 'openai'), ...jobClock, ...model]
    await start('local-openai', 'packages/local-openai/src/main.ts', args, {})
  }
  const { MINILM_DIR: _, ...servers } = stack.env
  const shared = {
    ...servers,
    OPENAI_API_KEY: embedding.openai?.apiKey ?? 'local',
    OPENAI_BASE_URL: openai,
    EMBEDDING_MODEL: embedding.model,
    EMBEDDING_DIMENSIONS: String(embedding.dimensions),
    POINTSMAN_NAMESPACE: namespace,
    ...(!embedding.openai && unlessSet(env, { ...slowModel, ...quickJobs }))
  }
  const controllerPort = await choosePort(env['CONTROLLER_PORT'], block.first)
  await start('controller', 'services/controller/src/main.ts', [], {
    ...shared,
    CONTROLLER_HOST: '127.0.0.1',
    CONTROLLER_PORT: String(controllerPort),
    POINTSMAN_API_TOKEN: token,
    POINTSMAN_INSTANCE: 'controller',
    ...(!embedding.openai && { EMBEDDING_USD_PER_MILLION_TOKENS: String(localUsdPerMillionTokens) })
  })
  const healthPorts = { 'embedder-realtime': block.first + 2, 'embedder-batch': block.first + 3 }
  for (const [name, port] of Object.entries(healthPorts)) {
    await start(name, `services/${name}/src/main.ts`, [], {
      ...unlessSet(env, embedderMemory),
      ...shared,
      POINTSMAN_INSTANCE: `${name}-1`,
      HEALTH_PORT: String(port),
      BATCH_SPOOL_DIR: join(folder, 'spool')
    })
  }

  const controller = `http://127.0.0.1:${controllerPort}`
  const stop = AbortSignal.any([signal, failed.signal])
  const ready = Object.entries(healthPorts).map(([name, port]) =>
    untilReady(name, `http://127.0.0.1:${port}`, stop)
  )
  await Promise.all([untilReady('controller', controller, stop), ...ready])
  await untilWarm({ controller, token, limitMs: readyLimitMs }, stop)

  const addresses: RunFile = {
    controller,
    kafka: stack.env.KAFKA_BROKERS,
    registry: stack.env.SCHEMA_REGISTRY_URL,
    redis: stack.env.REDIS_URL,
    weaviate: stack.env.WEAVIATE_URL,
    weaviateGrpc: stack.env.WEAVIATE_GRPC_URL,
    openai,
    namespace,
    token,
    model: embedding.model,
    dimensions: embedding.dimensions,
    process: identify(process.pid)
  }
  await writeFile(runFilePath(namespace), JSON.stringify(addresses, null, 2), { mode: 0o600 })
  owned.defer(() => rm(runFilePath(namespace), { force: true }))
  const rest = owned.move()
  return { addresses, folder, failed: failed.signal, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}

function unlessSet(env: UpOptions['env'], settings: Readonly<Record<string, string>>): UpOptions['env'] {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !env[name]))
}

async function takeName(namespace: string, folder: string, owned: AsyncDisposableStack): Promise<void> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'up.lock')
  const release = await tryLock(path)
  if (release === undefined) {
    const pid = pidOf((await holderOf(path)) ?? '')
    throw new AlreadyUp(
      `${namespace} is up already (process ${pid}): \`pointsman down\` ends it, --namespace starts another`
    )
  }
  owned.defer(release)
}

async function keepToken(folder: string): Promise<string> {
  const path = join(folder, 'token')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known
  const token = randomBytes(24).toString('base64url')
  await writeFile(path, token, { mode: 0o600 })
  return token
}

/** The usual one while nobody has it; one that was asked for, or none. */
async function choosePort(wanted: string | undefined, otherwise: number): Promise<number> {
  if (wanted === undefined || wanted === '') return (await isFree(usualPort)) ? usualPort : otherwise
  if (await isFree(Number(wanted))) return Number(wanted)
  throw new UpError(`controller: port ${wanted} (CONTROLLER_PORT) is already in use by another program`)
}

async function untilReady(name: string, url: string, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(readyLimitMs)
  let last = 'no answer yet'
  while (!deadline.aborted) {
    signal.throwIfAborted()
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.any([signal, deadline]) })
      if (response.ok) return
      last = await response.text()
    } catch (error) {
      signal.throwIfAborted()
      last = error instanceof Error ? error.message : String(error)
    }
    await delay(askEveryMs)
  }
  throw new UpError(`${name} did not become ready at ${url}: ${last}`)
}
