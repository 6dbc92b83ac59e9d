import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { analysisReport } from '../switching/analysis/analysis-report.ts'
import { readAnalysis } from '../switching/analysis/read-analysis.ts'
import {
  rollbackWish,
  type SwitchReport,
  switchHistory,
  switchReport,
  switchWish
} from '../switching/switch-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { changeRefusals, notFound, refusals, tokenNeeded, typed } from './route.ts'

const maxShown = 1000
const defaultShown = 50

const { actor, reason } = switchWish.shape
const switchOrder = switchWish.extend({
  dryRun: z.boolean().default(false).describe('change nothing: answer what /v1/analysis would')
})
const abortOrder = z.object({ actor, reason }).strict()

export function switchRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { switcher, stopping } = deps
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/v1/switches',
    schema: {
      summary: 'Every switch: who, when, why, from where to where, how it ended',
      tags: ['switching'],
      querystring: z.object({ limit: z.coerce.number().int().min(0).max(maxShown).default(defaultShown) }),
      response: { 200: switchHistory, ...refusals }
    },
    handler: async request => await switcher.history(request.query.limit, stopping)
  })
  routes.route({
    method: 'GET',
    url: '/v1/switches/current',
    schema: {
      summary: 'The switch that is under way',
      tags: ['switching'],
      response: { 200: switchReport, ...notFound, ...refusals }
    },
    handler: async () => {
      const { current } = await switcher.history(0, stopping)
      if (current === null) throw new Refusal(404, 'NO_SWITCH', 'no switch is under way')
      return current
    }
  })
  routes.route({
    method: 'GET',
    url: '/v1/switches/:switchId',
    schema: {
      summary: 'One switch',
      tags: ['switching'],
      params: z.object({ switchId: z.string().max(200) }),
      response: { 200: switchReport, ...notFound, ...refusals }
    },
    handler: async ({ params }) => {
      const found = await switcher.find(params.switchId, stopping)
      if (found === undefined)
        throw new Refusal(404, 'NO_SUCH_SWITCH', `there is no switch ${params.switchId}`)
      return found
    }
  })
  routes.route({
    method: 'POST',
    url: '/v1/switches',
    schema: {
      summary: 'Switch lanes',
      description:
        'With `switchId` it may be repeated as often as wanted: the answer is that of the first call, and nothing is ' +
        'done twice. A switch that drains is answered at once; /v1/switches/current tells how far it is.',
      tags: ['switching'],
      security: tokenNeeded,
      body: switchOrder,
      response: {
        200: z
          .union([switchReport, analysisReport])
          .describe('it has ended, or nothing had to be changed; an analysis for a dry run'),
        202: switchReport.describe('it is recorded and goes on by itself'),
        ...changeRefusals
      }
    },
    // Not given up when the caller goes away: what is recorded is carried out anyway.
    handler: async ({ body: { dryRun, ...wish } }, reply) => {
      if (dryRun) return await readAnalysis(wish.target, wish, deps)
      return answer(reply, await switcher.request(wish, stopping))
    }
  })
  routes.route({
    method: 'POST',
    url: '/v1/switches/rollback',
    schema: {
      summary: 'Back to the lanes before the last switch',
      description: 'Cuts at once; jobs and requests of the lane that is left go on in the background.',
      tags: ['switching'],
      security: tokenNeeded,
      body: rollbackWish,
      response: {
        200: switchReport.describe('it has ended, or nothing had to be changed'),
        202: switchReport.describe('it is recorded and goes on by itself'),
        ...changeRefusals
      }
    },
    handler: async ({ body }, reply) => answer(reply, await switcher.rollback(body, stopping))
  })
  routes.route({
    method: 'DELETE',
    url: '/v1/switches/current',
    schema: {
      summary: 'Abort the switch that is under way: the old lanes go on',
      tags: ['switching'],
      security: tokenNeeded,
      body: abortOrder,
      response: { 200: switchReport, ...changeRefusals }
    },
    handler: async ({ body }) => await switcher.abort(body, stopping)
  })
}

function answer(reply: FastifyReply, report: SwitchReport): SwitchReport {
  const goesOn = report.state === 'draining' || report.state === 'pending'
  void reply.code(goesOn ? 202 : 200)
  return report
}
