import { once } from 'node:events'
import { systemClock } from '@pointsman/core/runtime/clock'
import { withEnvFile } from '@pointsman/core/runtime/env-file'
import { ApiClient } from '../../services/controller/src/cli/api-client.ts'
import type { CliContext } from '../../services/controller/src/cli/cli-context.ts'
import { programRunner } from '../../services/controller/src/cli/run-program.ts'
import { painter, type Terminal } from '../../services/controller/src/cli/terminal.ts'
import { chooseEmbedding } from '../up/embedding-choice.ts'
import { localUsdPerMillionTokens } from '../up/local-pace.ts'
import { renderUp } from '../up/render-up.ts'
import { AlreadyUp, startEverything, type Up } from '../up/start-everything.ts'
import { type DemoOptions, parseCommandLine, usage } from './command-line.ts'
import { demonstrate } from './demonstrate.ts'
import { renderDemonstration } from './render-demonstration.ts'
import { resultOf } from './result.ts'

const { stdout, stderr } = process
const env = withEnvFile(process.env)

/** @returns the exit code. */
async function run(options: DemoOptions): Promise<number> {
  const { json, exit, namespace, maxFiles } = options
  const terminal = openTerminal(json)
  const say = (text: string): void => terminal.out(`${text}\n`)
  const stop = stopOnSignals()
  try {
    const beganMs = performance.now()
    await using up = await startEverything({ namespace, env, tell: text => terminal.err(`${text}\n`) }, stop)
    const startSeconds = (performance.now() - beganMs) / 1000
    say(`\n${terminal.paint('strong', 'Pointsman is up.')}\n\n${renderUp(up)}\n`)

    const signal = AbortSignal.any([stop, up.failed])
    const context = contextOf(up, terminal, signal)
    const isLocal = chooseEmbedding(env).openai === undefined
    const price = env['EMBEDDING_USD_PER_MILLION_TOKENS']
    const shown = await demonstrate(
      {
        up,
        isLocal,
        usdPerMillionTokens: isLocal ? localUsdPerMillionTokens : price ? Number(price) : undefined,
        maxFiles,
        context,
        say
      },
      signal
    )
    say(renderDemonstration(shown, terminal))
    if (json) stdout.write(`${JSON.stringify(resultOf(shown, startSeconds))}\n`)
    if (exit) return shown.verify.consistent ? 0 : 1

    say(`\n${renderUp(up)}\n\n${hints}`)
    if (!signal.aborted) await once(signal, 'abort')
    if (stop.aborted) return 0
    throw up.failed.reason
  } catch (error) {
    if (stop.aborted) return 130
    terminal.err(`pointsman: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof AlreadyUp ? 3 : 1
  }
}

/** With `--json` the one object has standard output to itself. */
function openTerminal(json: boolean): Terminal {
  const human = json ? stderr : stdout
  return {
    out: text => void human.write(text),
    err: text => void stderr.write(text),
    isLive: stderr.isTTY,
    columns: human.columns || 100,
    paint: painter(human.isTTY && !env['NO_COLOR'])
  }
}

function contextOf({ addresses }: Up, terminal: Terminal, signal: AbortSignal): CliContext {
  const { controller, token, namespace } = addresses
  return {
    api: new ApiClient({ url: controller, token }, fetch),
    terminal,
    clock: systemClock,
    interrupted: signal,
    within: ms => AbortSignal.any([signal, AbortSignal.timeout(ms)]),
    run: programRunner(process),
    // Nobody is asked anything here.
    confirm: async () => false,
    // What is set here for another cluster is not for this one.
    env: {
      ...process.env,
      KAFKA_BROKERS: undefined,
      SCHEMA_REGISTRY_URL: undefined,
      POINTSMAN_NAMESPACE: undefined,
      POINTSMAN_STATE_DIR: undefined
    },
    namespace,
    runFile: addresses
  }
}

function stopOnSignals(): AbortSignal {
  const stop = new AbortController()
  const onSignal = (): void => {
    // A second one is impatience: the watchdogs end what is left.
    if (stop.signal.aborted) process.exit(130)
    stderr.write('\nStopping…\n')
    stop.abort(new Error('stopped'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  return stop.signal
}

const hints = `Pointsman stays up. In another terminal:
  npx pointsman search "TEXT"
  npx pointsman ingest PATH --wait
  npx pointsman lag --watch
Ctrl-C ends everything; the data is kept, and the next start pays for nothing again.`

const options = parseCommandLine(process.argv.slice(2))
if (typeof options === 'string') {
  stderr.write(`${options}\n\n${usage}\n`)
  process.exit(2)
}
if (options === undefined) {
  stdout.write(`${usage}\n`)
  process.exit(0)
}
process.exit(await run(options))
