import type { Command } from 'commander'
import { abandonment, type Abandonment, jobList, type JobReport, jobReport } from '../../jobs/job-report.ts'
import type { CliContext } from '../cli-context.ts'
import { CliError, exitCodes } from '../cli-error.ts'
import { type OutputOptions, print } from '../print.ts'
import { renderAbandonment, renderJob, renderJobs } from '../render-jobs.ts'
import { printOrWatch } from '../watch.ts'
import { jsonFlag, parseCount } from './options.ts'

const answerMs = 60_000
const idHelp = 'of the job or of the batch at the provider, or how it begins'

interface ListOptions extends OutputOptions {
  readonly past: number
  readonly all?: boolean
  readonly watch?: boolean
}

export function addJobCommands(program: Command, context: CliContext): void {
  const { api, terminal, within } = context
  const jobs = program.command('jobs').description('jobs of the batch lane at the provider')

  jobs
    .command('list', { isDefault: true })
    .description('those that live, oldest first, and the latest that are over')
    .option('-p, --past <count>', 'how many that are over', parseCount(0, 1000), 5)
    .option('-a, --all', 'all that are remembered: the last 1,000')
    .option('-w, --watch', 'show it anew every second')
    .addOption(jsonFlag())
    .action(async (options: ListOptions) => {
      const query = { past: options.all === true ? 1000 : options.past }
      const ask = () => api.get('/v1/jobs', jobList, within(answerMs), query)
      await printOrWatch(context, options, ask, found => renderJobs(found, terminal))
    })

  const show = (options: OutputOptions, job: JobReport): void =>
    print(context, options, job, found => renderJob(found, terminal))

  jobs
    .command('show')
    .description('all about one job, and what will happen next')
    .argument('<id>', idHelp)
    .addOption(jsonFlag())
    .action(async (id: string, options: OutputOptions) => {
      show(options, await api.get(pathOf(id), jobReport, within(answerMs)))
    })

  jobs
    .command('cancel')
    .description('end a job early: what is finished is kept, the rest goes on elsewhere')
    .argument('<id>', idHelp)
    .addOption(jsonFlag())
    .action(async (id: string, options: OutputOptions) => {
      show(options, await api.post(`${pathOf(id)}/cancel`, {}, jobReport, within(answerMs)))
    })

  jobs
    .command('abandon')
    .description('give a job up though it has not ended; says what may then be paid for twice')
    .argument('<id>', idHelp)
    .option('-y, --yes', 'do it without asking')
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nWithout --yes, and without somebody to ask, it only says what it would do and exits with 3.'
    )
    .action(async (id: string, options: OutputOptions & { readonly yes?: boolean }) => {
      const ask = (confirm: boolean): Promise<Abandonment> =>
        api.post(`${pathOf(id)}/abandon`, { confirm }, abandonment, within(answerMs))
      if (options.yes === true) return print(context, options, await ask(true), renderAbandonment)
      const dryRun = await ask(false)
      print(context, options, dryRun, renderAbandonment)
      const isWanted = options.json !== true && (await context.confirm(`Give up job ${dryRun.job.id}?`))
      if (!isWanted)
        throw new CliError(exitCodes.refused, 'NOT_CONFIRMED', 'not confirmed', '--yes gives it up')
      // Not what a person abbreviated: meanwhile that might mean another job.
      const path = `${pathOf(dryRun.job.id)}/abandon`
      const done = await api.post(path, { confirm: true }, abandonment, within(answerMs))
      print(context, options, done, renderAbandonment)
    })
}

function pathOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`
}
