import type { FastifyReply, FastifyRequest } from 'fastify'
import { composeAnswer } from './embeddings-answer.ts'
import { parseEmbeddingsRequest } from './embeddings-request.ts'
import type { EmbeddingsRequest } from './embeddings-request.ts'
import { composeWrongAnswer } from './fault-answer.ts'
import { playRefusal } from './fault-refusal.ts'
import { isRefusal } from './fault-request-kinds.ts'
import type { FaultRule } from './fault-rules.ts'
import { hangConnection, resetConnection, sendPart, sendSlowly } from './fault-transport.ts'
import { drawLatencyMs } from './latency.ts'
import type { LocalServer } from './local-server.ts'
import type { Vectors } from './vector-source.ts'

/** `POST /v1/embeddings`: check, refuse or limit, embed, wait, bill, answer. */
export async function answerEmbeddings(
  server: LocalServer,
  { body, exchange }: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> {
  const arrivedMs = server.clock.nowMs()
  const embeddings = parseEmbeddingsRequest(body, server.vectors.models, server.counter)
  exchange.model = embeddings.model.id
  exchange.inputs = embeddings.inputs.length
  exchange.tokens = embeddings.tokens

  const texts = embeddings.inputs.map(input => input.text)
  const fault = server.faults.draw({ route: 'embeddings', model: embeddings.model.id, texts })
  exchange.fault = fault?.kind ?? null
  if (fault && isRefusal(fault)) return playRefusal(reply, fault, texts)
  if (fault?.kind === 'reset_before') return resetConnection(reply)
  if (fault?.kind === 'hang' && fault.stage === 'before') return hangConnection(reply, server.stopped)

  reply.headers(server.limiter.admit(embeddings.model.id, embeddings.tokens, arrivedMs))
  const vectors = await server.vectors.embed(embeddings.model, embeddings.inputs, embeddings.dimensions)
  // The work done counts as part of the latency, as it does at a provider.
  const delayMs = fault?.kind === 'slow_headers' ? fault.delayMs : 0
  const readyMs = arrivedMs + drawLatencyMs(server.latency, server.random) + delayMs
  await server.clock.wait(readyMs - server.clock.nowMs(), server.abandoned)

  // From here on it is paid, also when the client has left meanwhile.
  server.bill.pay(embeddings)
  exchange.paid = true
  reply.header('openai-processing-ms', Math.round(server.clock.nowMs() - arrivedMs)).type('application/json')
  return fault
    ? sendFaulty(server, reply, fault, embeddings, vectors)
    : reply.send(composeAnswer(embeddings, vectors))
}

async function sendFaulty(
  { clock, stopped }: LocalServer,
  reply: FastifyReply,
  fault: FaultRule,
  embeddings: EmbeddingsRequest,
  vectors: Vectors
): Promise<FastifyReply> {
  if (fault.kind === 'reset_after_billing') return resetConnection(reply)
  if (fault.kind === 'hang') return hangConnection(reply, stopped)
  const body = composeWrongAnswer(embeddings, vectors, fault)
  if (fault.kind === 'cut_body' || fault.kind === 'stalled_body') {
    return sendPart(reply, body, fault, stopped)
  }
  if (fault.kind === 'slow_body') return await sendSlowly(reply, body, fault, clock, stopped)
  if (fault.kind === 'wrong_content_type') reply.type(fault.contentType)
  return reply.send(body)
}
