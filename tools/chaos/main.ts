import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChaosCommand, parseCommandLine, usage } from './command-line.ts'
import { runChaos } from './run-chaos.ts'

const { stdout, stderr } = process

/** @returns the exit code. */
async function run({ json, keep, minutes, seed, trace, without }: ChaosCommand): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pointsman-chaos-'))
  const say = (line: string): void => void stderr.write(`${line}\n`)
  const kept = `logs and data are kept in ${folder}`
  try {
    const result = await runChaos({ minutes, seed, without, trace, folder, say }, stopOnSignals())
    stdout.write(`${JSON.stringify(result, undefined, json ? undefined : 2)}\n`)
    const { problems } = result
    for (const problem of problems) say(`found: ${problem}`)
    if (keep || problems.length > 0) say(kept)
    else await rm(folder, { recursive: true, force: true })
    return problems.length === 0 ? 0 : 1
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    if (json) stdout.write(`${JSON.stringify({ seed, minutes, converged: false, problems: [because] })}\n`)
    say(`${error instanceof Error ? (error.stack ?? because) : because}\n${kept}`)
    return 1
  }
}

function stopOnSignals(): AbortSignal {
  const stop = new AbortController()
  const onSignal = (): void => {
    // A second one is impatience: the watchdogs end what is left.
    if (stop.signal.aborted) process.exit(130)
    stop.abort(new Error('stopped'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  return stop.signal
}

const command = parseCommandLine(process.argv.slice(2))
if (typeof command === 'string') {
  stderr.write(`${command}\n\n${usage}\n`)
  process.exit(2)
}
if (command === undefined) {
  stdout.write(`${usage}\n`)
  process.exit(0)
}
process.exit(await run(command))
