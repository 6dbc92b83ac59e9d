import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { z } from 'zod'
import { repair } from '../verify/repair.ts'
import { verify } from '../verify/verify.ts'
import { type VerifyProgress, verifyReport, verifyRequest } from '../verify/verify-report.ts'
import type { ApiDeps } from './api-deps.ts'
import { problemOf, Refusal } from './problem.ts'
import { changeRefusals, tokenNeeded, typed, whileWanted } from './route.ts'

const maxNamed = 1_000_000
const progressEveryMs = 200

export function verifyRoutes(app: FastifyInstance, { parts, stopping, log }: ApiDeps): void {
  let running = false

  /** One at a time: each reads everything there is. */
  async function run(
    { all, examples, removeUnknown, repair: isRepair }: z.output<typeof verifyRequest>,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal
  ) {
    if (running) throw new Refusal(409, 'VERIFY_RUNNING', 'another verify is running: wait for it')
    running = true
    try {
      const options = { examples: all ? maxNamed : examples, onProgress }
      if (!isRepair) return await verify(parts, options, signal)
      await refuseWhileRebuilt(parts)
      const report = await repair(parts, { ...options, removeUnknown }, signal)
      if (report.repair !== null) log.info({ repair: report.repair }, 'differences were mended')
      return report
    } finally {
      running = false
    }
  }

  typed(app).route({
    method: 'POST',
    url: '/v1/verify',
    schema: {
      summary: 'Compare log, ledger and index document by document, and mend what differs if asked to',
      description:
        'With `Accept: application/x-ndjson` the answer is a stream of lines: {"kind":"progress",...}, then ' +
        '{"kind":"report",...} or {"kind":"problem",...}. ' +
        'Changes nothing unless `repair` is set; then the report is that of a second comparison, and says what was done.',
      tags: ['control'],
      security: tokenNeeded,
      body: verifyRequest,
      response: { 200: verifyReport, ...changeRefusals }
    },
    handler: async (request, reply) => {
      const signal = whileWanted(reply, stopping)
      if (!request.headers.accept?.includes('application/x-ndjson')) {
        return await run(request.body, () => undefined, signal)
      }
      const lines = new Readable({ read: () => undefined })
      const tell = (line: object): void => void lines.push(`${JSON.stringify(line)}\n`)
      let toldMs = 0
      const onProgress = (progress: VerifyProgress): void => {
        const nowMs = parts.clock.nowMs()
        if (progress.done < progress.total && nowMs - toldMs < progressEveryMs) return
        toldMs = nowMs
        tell({ kind: 'progress', ...progress })
      }
      const telling = run(request.body, onProgress, signal).then(
        report => tell({ kind: 'report', ...report }),
        (error: unknown) => {
          if (!signal.aborted) log.warn({ err: error }, 'verify failed')
          tell({ kind: 'problem', ...problemOf(error) })
        }
      )
      void telling.finally(() => lines.push(null))
      return stream(reply, lines)
    }
  })
}

/** A ledger that does not know much yet would be mended away. */
async function refuseWhileRebuilt({ ledger }: ApiDeps['parts']): Promise<void> {
  const { rebuild } = await ledger.state()
  if (rebuild === undefined) return
  const remedy = 'wait until it is done: `pointsman rebuild --wait` shows how far it is'
  throw new Refusal(409, 'LEDGER_REBUILDING', `the ledger is rebuilt (${rebuild.because}): ${remedy}`)
}

/** The schema of the answer is that of its last line: a stream is not checked against it. */
function stream(reply: Pick<FastifyReply, 'type' | 'send'>, lines: Readable): FastifyReply {
  return reply.type('application/x-ndjson').send(lines)
}
