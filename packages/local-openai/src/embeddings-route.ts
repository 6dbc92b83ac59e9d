import type { FastifyReply, FastifyRequest } from 'fastify'
import { composeAnswer } from './embeddings-answer.ts'
import { parseEmbeddingsRequest } from './embeddings-request.ts'
import { drawLatencyMs } from './latency.ts'
import type { LocalServer } from './local-server.ts'

/** `POST /v1/embeddings`. */
export async function answerEmbeddings(
  server: LocalServer,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> {
  const arrivedMs = server.clock.nowMs()
  const embeddings = parseEmbeddingsRequest(request.body, server.vectors.models, server.counter)
  const { exchange } = request
  exchange.model = embeddings.model.id
  exchange.inputs = embeddings.inputs.length
  exchange.tokens = embeddings.tokens

  const rows = await server.vectors.embed(embeddings.model, embeddings.inputs, embeddings.dimensions)
  // The work done counts as part of the latency, as it does at a provider.
  const readyMs = arrivedMs + drawLatencyMs(server.latency, server.random)
  await server.clock.wait(readyMs - server.clock.nowMs(), server.stopped)

  // From here on it is paid, also when the client has left meanwhile.
  server.bill.pay(embeddings)
  exchange.paid = true
  return reply
    .header('openai-processing-ms', Math.round(server.clock.nowMs() - arrivedMs))
    .type('application/json')
    .send(composeAnswer(embeddings, rows))
}
