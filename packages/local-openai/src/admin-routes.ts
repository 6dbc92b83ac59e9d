import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ApiError, invalidRequest } from './api-error.ts'
import type { BatchRecord } from './batches/batch-record.ts'
import { turnaroundSchema } from './batches/turnaround.ts'
import { faultScriptSchema } from './fault-rules.ts'
import { FaultScript } from './fault-script.ts'
import { latencySchema } from './latency.ts'
import { limitsSchema } from './limits.ts'
import type { LocalServer } from './local-server.ts'
import { RateLimiter } from './rate-limiter.ts'
import { webhookTargetSchema } from './webhooks.ts'

const listQuery = z.object({
  last: z.coerce.number().int().min(1).default(1000),
  minCount: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).default(10_000)
})

/**
 * `factor`: how many times as fast as real time it flows; 0 stands still. `skewSeconds`: how far wrong the times are that
 * clients are shown of files and jobs that are made from then on.
 */
const clockChange = z.strictObject({
  factor: z.number().min(0).max(1e9).optional(),
  advanceSeconds: z.number().min(0).max(1e9).optional(),
  skewSeconds: z.number().min(-1e9).max(1e9).optional()
})

/** The routes under `/_local`, for whoever runs the server: they answer on loopback only and need no key. */
export function adminRoutes(app: FastifyInstance, server: LocalServer): Promise<void> {
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isLoopback(request.ip)) {
      throw new ApiError({
        status: 403,
        message: 'The routes under /_local answer on loopback only.',
        type: 'invalid_request_error'
      })
    }
    done()
  })

  app.get('/bill', () => server.bill.report())
  app.delete('/bill', () => {
    server.bill.clear()
    return server.bill.report()
  })
  app.get('/payments', request => {
    const { minCount, limit } = parseWith(listQuery, request.query)
    const payments = [...server.bill.payments(minCount)]
    return { total: payments.length, payments: payments.slice(0, limit) }
  })
  app.get('/journal', request => ({
    exchanges: server.journal.last(parseWith(listQuery, request.query).last)
  }))
  app.delete('/journal', () => {
    server.journal.clear()
    return { exchanges: [] }
  })
  app.get('/latency', () => server.latency)
  app.put('/latency', request => {
    server.latency = parseWith(latencySchema, request.body)
    return server.latency
  })
  app.get('/jobs', () => ({ jobs: [...server.state.batches.values()].map(showJob) }))
  app.get('/clock', () => showClock(server))
  app.put('/clock', async request => {
    const { virtualClock, state } = server
    const { advanceSeconds, factor, skewSeconds } = parseWith(clockChange, request.body)
    if (factor !== undefined) virtualClock.factor = factor
    if (skewSeconds !== undefined) virtualClock.skewMs = skewSeconds * 1000
    if (advanceSeconds !== undefined) await virtualClock.advance(advanceSeconds * 1000)
    state.commit(virtualClock.nowMs(), { kind: 'clock' })
    return showClock(server)
  })
  app.get('/turnaround', () => server.batches.turnaround)
  app.put('/turnaround', request => {
    server.batches.turnaround = parseWith(turnaroundSchema, request.body)
    return server.batches.turnaround
  })
  app.get('/limits', () => server.limiter.limits)
  app.put('/limits', request => {
    // New limits start full, as after a change of tier.
    server.limiter = new RateLimiter(parseWith(limitsSchema, request.body))
    return server.limiter.limits
  })
  app.get('/webhook', () => server.webhooks.target)
  app.put('/webhook', request => {
    server.webhooks.target = parseWith(webhookTargetSchema, request.body)
    return server.webhooks.target
  })
  app.get('/faults', () => server.faults.report(countStruckLines(server)))
  app.put('/faults', request => {
    const { seed, rules } = parseWith(faultScriptSchema, request.body)
    server.faults = new FaultScript(rules, seed)
    return server.faults.report()
  })
  return Promise.resolve()
}

/** In truth: whatever a fault shows to clients. */
function showJob(batch: BatchRecord): object {
  const { completed, failed, faults, id, inspection, status, struck } = batch
  const lines = { total: inspection?.lines ?? 0, completed, failed }
  return { id, status, lines, faults: faults.map(({ key, rule }) => ({ ...rule, struck: struck[key] ?? 0 })) }
}

function countStruckLines({ state }: LocalServer): ReadonlyMap<string, number> {
  const struck = new Map<string, number>()
  for (const [key, lines] of [...state.batches.values()].flatMap(batch => Object.entries(batch.struck))) {
    struck.set(key, (struck.get(key) ?? 0) + lines)
  }
  return struck
}

function showClock({ virtualClock }: LocalServer): object {
  const { factor, skewMs } = virtualClock
  return { now: virtualClock.nowMs() / 1000, factor, skewSeconds: skewMs / 1000 }
}

/** @throws {ApiError} 400 naming every problem. */
function parseWith<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const problems = result.error.issues.map(issue => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw invalidRequest(problems.join('; '))
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
