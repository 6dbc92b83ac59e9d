import type { Command } from 'commander'
import { z } from 'zod'
import type { CliContext } from '../cli-context.ts'
import { clean } from '../clean.ts'
import { type OutputOptions, print } from '../print.ts'
import { jsonFlag } from './options.ts'

const answerMs = 30_000

const pauseState = z.object({
  paused: z.boolean(),
  reason: z.string().nullable(),
  sinceMs: z.number().nullable()
})

export function addControlCommands(program: Command, context: CliContext): void {
  const { api, within } = context

  program
    .command('pause')
    .description('stop admission everywhere; what is in flight is finished')
    .option('-r, --reason <text>', 'shown to everybody who looks')
    .addOption(jsonFlag())
    .action(async (options: OutputOptions & { readonly reason?: string }) => {
      const body = options.reason === undefined ? {} : { reason: options.reason }
      const state = await api.post('/v1/pause', body, pauseState, within(answerMs))
      print(
        context,
        options,
        state,
        ({ reason }) => `Paused: ${clean(reason ?? '')}. Go on with \`pointsman resume\`.`
      )
    })

  program
    .command('resume')
    .description('end a pause')
    .addOption(jsonFlag())
    .action(async (options: OutputOptions) => {
      const state = await api.post('/v1/resume', {}, pauseState, within(answerMs))
      print(context, options, state, () => 'Going on.')
    })
}
