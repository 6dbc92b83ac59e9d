import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { analysisQuery } from '../switching/analysis/analysis-query.ts'
import { analysisReport } from '../switching/analysis/analysis-report.ts'
import { readAnalysis } from '../switching/analysis/read-analysis.ts'
import { lane } from '../switching/switch-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { refusals, typed } from './route.ts'

export function analysisRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const routes = typed(app)

  routes.route({
    method: 'GET',
    url: '/v1/analysis/:mode',
    schema: {
      summary: 'What a switch to this lane would do, and cost, with each strategy',
      description: 'Changes nothing: the dry run of a switch.',
      tags: ['switching'],
      params: z.object({ mode: lane }),
      querystring: analysisQuery,
      response: { 200: analysisReport, ...refusals }
    },
    handler: async ({ params, query }) => await readAnalysis(params.mode, query, deps)
  })
}
