import type { FastifyReply } from 'fastify'
import type { Clock } from './clock.ts'

/** Cuts the connection with a TCP reset, without an answer. */
export function resetConnection(reply: FastifyReply): FastifyReply {
  reply.hijack()
  reply.raw.socket?.resetAndDestroy()
  return reply
}

/** Never answers: the connection stays open until the client leaves or the server stops. */
export function hangConnection(reply: FastifyReply, stopped: AbortSignal): FastifyReply {
  reply.hijack()
  destroyWhenStopped(reply, stopped)
  return reply
}

/** Sends the head and a share `at` of the body; then resets the connection, or stays silent. */
export function sendPart(
  reply: FastifyReply,
  body: Buffer,
  at: number,
  afterwards: 'reset' | 'stall',
  stopped: AbortSignal
): FastifyReply {
  const raw = openRaw(reply, body)
  destroyWhenStopped(reply, stopped)
  // The reset would overtake bytes that are still queued.
  raw.write(body.subarray(0, Math.floor(body.length * at)), () => {
    if (afterwards === 'reset') raw.socket?.resetAndDestroy()
  })
  return reply
}

/** Sends the body in small pieces with pauses. */
export async function sendSlowly(
  reply: FastifyReply,
  body: Buffer,
  pace: { readonly chunkBytes: number; readonly intervalMs: number },
  clock: Clock,
  stopped: AbortSignal
): Promise<FastifyReply> {
  const raw = openRaw(reply, body)
  destroyWhenStopped(reply, stopped)
  for (let at = 0; at < body.length && !raw.destroyed && !stopped.aborted; at += pace.chunkBytes) {
    raw.write(body.subarray(at, at + pace.chunkBytes))
    await clock.wait(pace.intervalMs, stopped).catch(() => undefined)
  }
  raw.end()
  return reply
}

function openRaw(reply: FastifyReply, body: Buffer): FastifyReply['raw'] {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  return reply.raw.writeHead(200, { 'content-length': body.length })
}

function destroyWhenStopped(reply: FastifyReply, stopped: AbortSignal): void {
  const destroy = (): void => {
    reply.raw.destroy()
  }
  if (stopped.aborted) destroy()
  stopped.addEventListener('abort', destroy)
  reply.raw.once('close', () => stopped.removeEventListener('abort', destroy))
}
