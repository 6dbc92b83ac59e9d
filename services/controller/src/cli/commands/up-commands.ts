import { readFile } from 'node:fs/promises'
import { kill } from 'node:process'
import type { Command } from 'commander'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { loadRunFile } from '../run-file.ts'
import { type OutputOptions, print } from '../print.ts'
import { jsonFlag } from './options.ts'

const upPath = 'tools/up/main.ts'
const downMs = 60_000
const lookEveryMs = 200

interface UpOptions extends OutputOptions {
  readonly namespace?: string
}

export function addUpCommands(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('start the servers and all services on this computer, until Ctrl-C')
    .option('--namespace <name>', 'several can run side by side')
    .addOption(jsonFlag())
    .action(async ({ namespace = context.namespace, json }: UpOptions) => {
      const args = ['--namespace', namespace, ...(json === true ? ['--json'] : [])]
      const exitCode = await context.run(upPath, args, { env: context.env })
      // It has said why itself.
      if (exitCode !== 0) throw new CliError(exitCode === 2 ? 2 : exitCode === 3 ? 3 : 1, 'UP_FAILED', '')
    })

  program
    .command('down')
    .description('end what `up` started; data is kept')
    .option('--namespace <name>', 'as given to `up`')
    .addOption(jsonFlag())
    .action(async ({ namespace = context.namespace, json }: UpOptions) => {
      const stopped = await down(context, namespace)
      print(context, { json }, { namespace, stopped }, () =>
        stopped ? `${namespace} is down.` : `${namespace} was not up.`
      )
    })
}

/** Asks the process of `up` to end, and waits for that. False when it does not run. */
async function down({ clock, interrupted }: CliContext, namespace: string): Promise<boolean> {
  const running = await loadRunFile(namespace)
  if (!running || !(await isAlive(running.process))) return false
  const pid = Number.parseInt(running.process, 10)
  kill(pid, 'SIGTERM')
  const deadlineMs = clock.nowMs() + downMs
  while (await isAlive(running.process)) {
    if (clock.nowMs() > deadlineMs) {
      throw new CliError(exitCodes.timedOut, 'TIMED_OUT', `process ${pid} is still ending`)
    }
    await clock.sleep(lookEveryMs, interrupted)
  }
  return true
}

/** Whether exactly this process runs, `pid:start`: a pid alone may belong to a stranger by now. */
async function isAlive(identity: string): Promise<boolean> {
  const [pid = '', start = ''] = identity.split(':')
  try {
    kill(Number(pid), 0)
  } catch {
    return false
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return start === ''
  // The second field is the program's name in brackets and may hold blanks itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] !== 'Z' && (start === '' || fields[19] === start)
}
