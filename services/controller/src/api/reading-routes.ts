import type { FastifyInstance } from 'fastify'
import { doctorReport } from '../doctor/doctor-report.ts'
import { lagReport } from '../lag/lag-report.ts'
import { search, searchAnswer, searchQuery } from '../search/search.ts'
import { readStatus } from '../status/read-status.ts'
import { statusReport } from '../status/status-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { refusals, typed, whileWanted } from './route.ts'

export function readingRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/v1/status',
    schema: {
      summary: 'Everything at a glance',
      tags: ['read'],
      response: { 200: statusReport, ...refusals }
    },
    handler: async (_, reply) => await readStatus(deps, whileWanted(reply, deps.stopping))
  })
  routes.route({
    method: 'GET',
    url: '/v1/lag',
    schema: { summary: 'Where every document is', tags: ['read'], response: { 200: lagReport, ...refusals } },
    handler: async () => (await deps.monitor.look(deps.stopping)).report
  })
  routes.route({
    method: 'GET',
    url: '/v1/search',
    schema: {
      summary: 'Nearest documents to a text',
      tags: ['read'],
      querystring: searchQuery,
      response: { 200: searchAnswer, ...refusals }
    },
    handler: async (request, reply) =>
      await search(deps.parts, request.query, whileWanted(reply, deps.stopping))
  })
  routes.route({
    method: 'GET',
    url: '/v1/doctor',
    schema: {
      summary: 'What is wrong with the set-up, and the remedy',
      tags: ['read'],
      response: { 200: doctorReport, ...refusals }
    },
    handler: async (_, reply) => await deps.examine(whileWanted(reply, deps.stopping))
  })
}
