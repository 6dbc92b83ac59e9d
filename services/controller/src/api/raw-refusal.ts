// Refusals of what never becomes a request: broken HTTP, and addresses that cannot be read.
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problemOf, Refusal } from './problem.ts'

/** For the server's `clientErrorHandler`. */
export function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = problemOf(refusalOf(error.code))
  const body = JSON.stringify(answer)
  const head = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Refused'}`,
    ...Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}`),
    'connection: close'
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** For the server's `frameworkErrors`: an address that cannot be decoded. */
export function refuseUnreadable(error: Error, response: ServerResponse): void {
  const answer = problemOf(error)
  const body = JSON.stringify(answer)
  response.writeHead(answer.status, headersOf(body)).end(body)
}

function headersOf(body: string) {
  return { 'content-type': 'application/problem+json', 'content-length': String(Buffer.byteLength(body)) }
}

function refusalOf(code: string | undefined): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal(408, 'TOO_SLOW', 'the request took too long')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal(431, 'HEADERS_TOO_LARGE', 'its headers are too large')
  return new Refusal(400, 'BAD_REQUEST', 'this is not HTTP')
}
