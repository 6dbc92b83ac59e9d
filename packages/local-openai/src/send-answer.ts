import type { FastifyReply } from 'fastify'
import { spoilJob } from './batches/spoil-job.ts'
import { isViewFault } from './fault-request-kinds.ts'
import type { FaultRule } from './fault-rules.ts'
import { sendPart, sendSlowly } from './fault-transport.ts'
import { FileContent } from './files/file-content.ts'
import type { LocalServer } from './local-server.ts'

const json = 'application/json; charset=utf-8'
const bytes = 'application/octet-stream'

/** Sends an object or the content of a file, spoiled in the way of `fault` if there is one. */
export async function sendAnswer(
  server: LocalServer,
  reply: FastifyReply,
  answer: unknown,
  fault: FaultRule | undefined
): Promise<FastifyReply> {
  const spoils = fault && fault.kind !== 'slow_headers'
  if (answer instanceof FileContent) {
    reply.type(bytes)
    if (spoils) return await sendSpoiled(server, reply, await answer.read(), fault)
    return await reply.header('content-length', answer.bytes).send(answer.open())
  }
  if (!spoils) return await reply.send(answer)
  const text = JSON.stringify(isViewFault(fault) ? spoilJob(Object(answer), fault) : answer)
  return await sendSpoiled(server, reply.type(json), Buffer.from(text), fault)
}

async function sendSpoiled(
  { clock, stopped }: LocalServer,
  reply: FastifyReply,
  body: Buffer,
  fault: FaultRule
): Promise<FastifyReply> {
  if (fault.kind === 'cut_body' || fault.kind === 'stalled_body') {
    return sendPart(reply, body, fault, stopped)
  }
  if (fault.kind === 'slow_body') return await sendSlowly(reply, body, fault, clock, stopped)
  if (fault.kind === 'wrong_content_type') reply.type(fault.contentType)
  return await reply.send(spoilText(body, fault))
}

function spoilText(body: Buffer, fault: FaultRule): Buffer {
  if (fault.kind === 'truncated_json') return body.subarray(0, Math.floor(body.length * fault.at))
  return fault.kind === 'malformed_json' ? Buffer.from(body.toString().replace(':', ':,')) : body
}
