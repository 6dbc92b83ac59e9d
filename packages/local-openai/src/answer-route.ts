import type { FastifyReply, FastifyRequest } from 'fastify'
import { playRefusal } from './fault-refusal.ts'
import { isRefusal } from './fault-request-kinds.ts'
import type { FaultQuestion } from './fault-script.ts'
import { hangConnection, resetConnection } from './fault-transport.ts'
import type { LocalServer } from './local-server.ts'
import { sendAnswer } from './send-answer.ts'

/**
 * Answers a request of a route other than embeddings, unless a fault comes in between.
 * @param work - gives what is sent, an object or `FileContent`; what it throws as an `ApiError` is sent as such.
 */
export async function answerRoute(
  server: LocalServer,
  question: FaultQuestion,
  { exchange }: FastifyRequest,
  reply: FastifyReply,
  work: () => unknown
): Promise<FastifyReply> {
  const fault = server.faults.draw(question)
  exchange.fault = fault?.kind ?? null
  if (fault && isRefusal(fault)) return playRefusal(reply, fault, [])
  if (fault?.kind === 'reset_before') return resetConnection(reply)
  if (fault?.kind === 'hang' && fault.stage === 'before') return hangConnection(reply, server.stopped)

  const answer = await work()
  if (fault?.kind === 'reset_after_commit') return resetConnection(reply)
  if (fault?.kind === 'hang') return hangConnection(reply, server.stopped)
  if (fault?.kind === 'slow_headers') {
    // The client may leave meanwhile: then there is nobody to answer to.
    await server.clock.wait(fault.delayMs, server.abandoned)
  }
  return await sendAnswer(server, reply, answer, fault)
}
