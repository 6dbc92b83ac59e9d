import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { shortText } from '../short-text.ts'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { changeRefusals, tokenNeeded, typed } from './route.ts'

const pauseState = z.object({
  paused: z.boolean(),
  reason: z.string().nullable(),
  sinceMs: z.number().nullable()
})

export function controlRoutes(app: FastifyInstance, { parts: { ledger } }: ApiDeps): void {
  const routes = typed(app)

  async function answer(accepted: boolean): Promise<z.output<typeof pauseState>> {
    if (!accepted)
      throw new Refusal(409, 'EPOCH_CHANGED', 'the lanes were switched meanwhile: look, then try again')
    const { pause } = await ledger.state()
    return { paused: pause !== undefined, reason: pause?.reason ?? null, sinceMs: pause?.sinceMs ?? null }
  }

  routes.route({
    method: 'POST',
    url: '/v1/pause',
    schema: {
      summary: 'Stop admission everywhere; what is in flight is finished',
      tags: ['control'],
      security: tokenNeeded,
      body: z.object({ reason: shortText(200).default('paused by an operator') }).strict(),
      response: { 200: pauseState, ...changeRefusals }
    },
    handler: async request => {
      const { epoch } = await ledger.state()
      return await answer(await ledger.pause(epoch, request.body.reason, 'api'))
    }
  })
  routes.route({
    method: 'POST',
    url: '/v1/resume',
    schema: {
      summary: 'End a pause',
      tags: ['control'],
      security: tokenNeeded,
      body: z.object({}).strict(),
      response: { 200: pauseState, ...changeRefusals }
    },
    handler: async () => {
      const { epoch } = await ledger.state()
      return await answer(await ledger.resume(epoch))
    }
  })
}
