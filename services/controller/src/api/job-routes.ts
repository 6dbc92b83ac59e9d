import type { JobOrder } from '@pointsman/core/ports/job'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { describeJob, describePastJob } from '../jobs/describe-jobs.ts'
import { findJob, type NamedJob } from '../jobs/find-job.ts'
import { type Abandonment, abandonment, jobList, type JobReport, jobReport } from '../jobs/job-report.ts'
import { documentsOf, type Manifest, manifestsOf } from '../jobs/manifests.ts'
import { costOf } from '../status/token-price.ts'
import type { ApiDeps } from './api-deps.ts'
import { Refusal } from './problem.ts'
import { changeRefusals, conflict, notFound, refusals, tokenNeeded, typed } from './route.ts'

const maxPast = 1000
const named = z.object({
  id: z.string().min(1).max(200).describe('of the manifest or the batch, or how one begins')
})

interface Found {
  readonly job: JobReport
  /** Undefined when it is over. */
  readonly manifest: Manifest | undefined
}

export function jobRoutes(app: FastifyInstance, { parts, jobs, jobTerms: terms }: ApiDeps): void {
  const { ledger } = parts
  const routes = typed(app)

  async function find(wanted: string): Promise<Found> {
    // In this order: what ends in between is met twice, never missed.
    const survey = await ledger.survey()
    const past = await jobs.past()
    const living = manifestsOf(survey).map((manifest): Found & NamedJob => {
      const job = describeJob(manifest, survey, terms)
      return { id: job.id, batchId: job.batchId, job, manifest }
    })
    const ids = new Set<string>(living.map(({ id }) => id))
    const over = past
      .map(job => describePastJob(job, terms))
      .filter(({ id }) => !ids.has(id))
      .map((job): Found & NamedJob => ({ id: job.id, batchId: job.batchId, job, manifest: undefined }))
    const found = findJob([...living, ...over], wanted)
    if (found === undefined) throw new Refusal(404, 'NO_SUCH_JOB', `there is no job ${wanted}`)
    if ('several' in found) {
      throw new Refusal(
        409,
        'AMBIGUOUS',
        `${wanted} is the beginning of several: ${found.several.join(', ')}`
      )
    }
    return found
  }

  /** The embedder that owns the job carries it out: nobody else needs the key of the provider. */
  async function order(manifest: Manifest, wanted: JobOrder): Promise<JobReport> {
    if (manifest.job.order !== wanted && !(await ledger.order(manifest.id, wanted))) {
      throw new Refusal(409, 'JOB_ENDED', `job ${manifest.id} has just ended`)
    }
    return (await find(manifest.id)).job
  }

  routes.route({
    method: 'GET',
    url: '/v1/jobs',
    schema: {
      summary: 'Jobs of the batch lane: those that live, and the latest that are over',
      tags: ['jobs'],
      querystring: z.object({ past: z.coerce.number().int().min(0).max(maxPast).default(10) }),
      response: { 200: jobList, ...refusals }
    },
    handler: async request => {
      const survey = await ledger.survey()
      const past = await jobs.past()
      const live = manifestsOf(survey).map(manifest => describeJob(manifest, survey, terms))
      const living = new Set(live.map(({ id }) => id))
      const over = past.filter(({ manifest }) => !living.has(manifest))
      return {
        live,
        past: over.slice(0, request.query.past).map(job => describePastJob(job, terms))
      }
    }
  })
  routes.route({
    method: 'GET',
    url: '/v1/jobs/:id',
    schema: {
      summary: 'One job',
      tags: ['jobs'],
      params: named,
      response: { 200: jobReport, ...notFound, ...conflict, ...refusals }
    },
    handler: async request => (await find(request.params.id)).job
  })
  routes.route({
    method: 'POST',
    url: '/v1/jobs/:id/cancel',
    schema: {
      summary: 'End a job early',
      description:
        'Leaves the order with the job; the embedder that owns it asks the provider. What is finished is kept and ' +
        'paid for once, the rest goes on in another job or lane. May be repeated.',
      tags: ['jobs'],
      security: tokenNeeded,
      params: named,
      body: z.object({}).strict(),
      response: { 200: jobReport, ...notFound, ...changeRefusals }
    },
    handler: async request => {
      return await order(requireCancellable(await find(request.params.id)), 'cancel')
    }
  })
  routes.route({
    method: 'POST',
    url: '/v1/jobs/:id/abandon',
    schema: {
      summary: 'Give a job up though it has not ended',
      description:
        'Its documents are embedded by other jobs or requests, so its texts may be paid for twice: the answer says how ' +
        'many. Does nothing without {"confirm": true}.',
      tags: ['jobs'],
      security: tokenNeeded,
      params: named,
      body: z.object({ confirm: z.boolean().default(false) }).strict(),
      response: { 200: abandonment, ...notFound, ...changeRefusals }
    },
    handler: async (request): Promise<Abandonment> => {
      const found = await find(request.params.id)
      const manifest = requireAtProvider(found)
      const { lines, tokens } = manifest.job
      return {
        job: request.body.confirm ? await order(manifest, 'abandon') : found.job,
        ordered: request.body.confirm,
        documents: documentsOf(manifest),
        texts: lines,
        tokens,
        usd: costOf(tokens, terms.prices.batch) ?? null
      }
    }
  })
}

function requireCancellable(found: Found): Manifest {
  const manifest = requireAtProvider(found)
  if (manifest.job.order !== 'abandon') return manifest
  throw new Refusal(409, 'JOB_ABANDONED', `job ${manifest.id} is being given up already`)
}

/** Only of such a job does somebody else pay for anything; an order left before would be carried out on its next try. */
function requireAtProvider({ job, manifest }: Found): Manifest {
  if (manifest === undefined || manifest.state === 'terminal') throw ended(job)
  if (manifest.state === 'submitted') return manifest
  if (manifest.state === 'submitting') {
    throw new Refusal(
      409,
      'JOB_UNCERTAIN',
      `whether the provider has job ${job.id} is being found out: try again in a minute`
    )
  }
  throw new Refusal(
    409,
    'JOB_NOT_SENT',
    `job ${job.id} is ${job.state}: it is not at the provider yet, nothing of it is paid`
  )
}

function ended({ id, status, state }: JobReport): Refusal {
  const how = state === 'terminal' ? 'its results are being read' : 'all of it is settled'
  return new Refusal(409, 'JOB_ENDED', `job ${id} has ended${status === null ? '' : ` (${status})`}: ${how}`)
}
