import type { FastifyReply, FastifyRequest } from 'fastify'
import { playRefusal } from './fault-refusal.ts'
import { isRefusal } from './fault-rules.ts'
import type { RouteName } from './fault-rules.ts'
import { resetConnection } from './fault-transport.ts'
import type { LocalServer } from './local-server.ts'

/**
 * Answers a request of a route without inputs, unless a fault comes in between.
 * @param work - gives what is sent; what it throws as an `ApiError` is sent as such.
 */
export async function answerRoute(
  server: LocalServer,
  route: RouteName,
  { exchange }: FastifyRequest,
  reply: FastifyReply,
  work: () => unknown
): Promise<FastifyReply> {
  const fault = server.faults.draw({ route })
  exchange.fault = fault?.kind ?? null
  if (fault) return isRefusal(fault) ? playRefusal(reply, fault, []) : resetConnection(reply)
  return reply.send(await work())
}
