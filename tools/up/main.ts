import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { withEnvFile } from '@pointsman/core/runtime/env-file'
import { renderUp } from './render-up.ts'
import { AlreadyUp, startEverything } from './start-everything.ts'

const usage = `Usage: pointsman up [--namespace NAME] [--json]

Starts Kafka, the schema registry, Redis, Weaviate, the controller and both embedders on this computer, and a local
embedding model unless OPENAI_API_KEY is set. Ctrl-C ends everything; data is kept under .pointsman/NAME.
POINTSMAN_INITIAL_MODE=batch chooses the batch lane, at the first start of a namespace.`

/** @returns the exit code: 0 ended by Ctrl-C, 1 failed, 3 refused. */
async function run(namespace: string, json: boolean): Promise<number> {
  const stop = new AbortController()
  const onSignal = (): void => {
    // A second one is impatience: the watchdogs end what is left.
    if (stop.signal.aborted) process.exit(1)
    console.error('\nStopping…')
    stop.abort(new Error('stopped'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  // Whoever started us through `pointsman up` is gone.
  process.on('disconnect', onSignal)

  try {
    const env = withEnvFile(process.env)
    await using up = await startEverything({ namespace, env, tell: text => console.error(text) }, stop.signal)
    console.log(json ? line(up.addresses) : `\nPointsman is up.\n\n${renderUp(up)}\n\n${hints}`)
    const ended = AbortSignal.any([stop.signal, up.failed])
    if (!ended.aborted) await once(ended, 'abort')
    if (stop.signal.aborted) return 0
    throw up.failed.reason
  } catch (error) {
    if (stop.signal.aborted) return 0
    console.error(`pointsman up: ${error instanceof Error ? error.message : String(error)}`)
    return error instanceof AlreadyUp ? 3 : 1
  }
}

const hints = `Next, in another terminal:
  npx pointsman ingest PATH --wait
  npx pointsman search "TEXT"
  npx pointsman status --watch
Ctrl-C ends everything; the data is kept.`

/** What programs rely on; see docs/architecture.md. */
function line(addresses: Awaited<ReturnType<typeof startEverything>>['addresses']): string {
  const { controller, kafka, registry, redis, weaviate, weaviateGrpc, openai, namespace, token } = addresses
  return JSON.stringify({
    controller,
    kafka,
    registry,
    redis,
    weaviate,
    weaviateGrpc,
    openai,
    namespace,
    token
  })
}

function parseCommandLine():
  | { readonly namespace: string; readonly json: boolean; readonly help: boolean }
  | string {
  try {
    const { values } = parseArgs({
      options: {
        namespace: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' }
      }
    })
    const namespace = values.namespace ?? process.env['POINTSMAN_NAMESPACE'] ?? 'pointsman'
    if (!/^[a-zA-Z][a-zA-Z0-9._-]{0,63}$/.test(namespace)) {
      return 'the namespace must be a letter followed by up to 63 letters, digits, . _ or -'
    }
    return { namespace, json: values.json === true, help: values.help === true }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const command = parseCommandLine()
if (typeof command === 'string') {
  console.error(`${command}\n\n${usage}`)
  process.exit(2)
}
if (command.help) {
  console.log(usage)
  process.exit(0)
}
process.exit(await run(command.namespace, command.json))
