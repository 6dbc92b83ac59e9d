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

interface PartialBody {
  readonly kind: 'cut_body' | 'stalled_body'
  /** A share of the body. */
  readonly at: number
  /** Instead of `at`. */
  readonly atByte?: number | undefined
  readonly clean?: boolean
}

/** Sends the head and the beginning of the body; then resets the connection, stays silent, or ends as if it were whole. */
export function sendPart(
  reply: FastifyReply,
  body: Buffer,
  { at, atByte = Math.floor(body.length * at), clean, kind }: PartialBody,
  stopped: AbortSignal
): FastifyReply {
  const raw = openRaw(reply, clean ? undefined : body.length)
  destroyWhenStopped(reply, stopped)
  const part = body.subarray(0, atByte)
  if (clean) {
    raw.end(part)
    return reply
  }
  // The reset would overtake bytes that are still queued.
  raw.write(part, () => {
    if (kind === 'cut_body') raw.socket?.resetAndDestroy()
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
  const raw = openRaw(reply, body.length)
  destroyWhenStopped(reply, stopped)
  for (let at = 0; at < body.length && !raw.destroyed && !stopped.aborted; at += pace.chunkBytes) {
    raw.write(body.subarray(at, at + pace.chunkBytes))
    await clock.wait(pace.intervalMs, stopped).catch(() => undefined)
  }
  raw.end()
  return reply
}

/** @param bytes - the length that is told; none is told without it. */
function openRaw(reply: FastifyReply, bytes: number | undefined): FastifyReply['raw'] {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  return reply.raw.writeHead(200, bytes === undefined ? {} : { 'content-length': bytes })
}

function destroyWhenStopped(reply: FastifyReply, stopped: AbortSignal): void {
  const destroy = (): void => {
    reply.raw.destroy()
  }
  if (stopped.aborted) destroy()
  stopped.addEventListener('abort', destroy)
  reply.raw.once('close', () => stopped.removeEventListener('abort', destroy))
}
