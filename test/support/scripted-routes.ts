import { apiError, type Reply } from './scripted-provider.ts'

/**
 * Answers by method and path, `GET /v1/files/file-1`; a query is not looked at.
 * @param table - several replies are given in turn, the last of them for ever. Anything else is 404.
 */
export function routes(table: Readonly<Record<string, Reply | readonly Reply[]>>): Reply {
  const asked = new Map<string, number>()
  return (response, request) => {
    const route = `${request.method} ${new URL(request.url ?? '', 'http://localhost').pathname}`
    const count = asked.get(route) ?? 0
    asked.set(route, count + 1)
    const replies = [table[route] ?? apiError(404, { message: `no route ${route}` })].flat()
    const reply = replies[Math.min(count, replies.length - 1)]
    reply?.(response, request)
  }
}

/** Raw bytes, with their length. */
export function bytes(body: string | Uint8Array): Reply {
  return response => {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': Buffer.byteLength(body)
    })
    response.end(body)
  }
}

/** Bytes that end as if they were whole, without a length. */
export function unmeasured(body: string | Uint8Array): Reply {
  return response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.end(body)
  }
}

/** A connection that breaks after some of the bytes that were promised. */
export function broken(body: string, promised: number): Reply {
  return response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': promised })
    response.write(body, () => response.destroy())
  }
}
