// Who may call. A browser that shows a foreign page is the enemy here: it can reach loopback, but it cannot lie
// about Host, Origin and Sec-Fetch-Site, cannot know the token, and must ask before it sends a JSON body.

import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { Refusal } from './problem.ts'

export interface AccessPolicy {
  readonly token: string | undefined
  /** Also reading needs the token: set when others than this computer can reach the controller. */
  readonly tokenForReading: boolean
  /** Names besides localhost and IP addresses under which the controller may be called. */
  readonly allowedHosts: readonly string[]
}

export interface Caller {
  readonly method: string
  /** Of a mutating or paid call, as far as the route is known. */
  readonly path: string
  /** False when nothing is done anyway. */
  readonly isKnown: boolean
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

const safeMethods = new Set(['GET', 'HEAD'])

/** @throws {Refusal} 401, 403 or 415. */
export function checkAccess(caller: Caller, policy: AccessPolicy): void {
  checkHost(header(caller, 'host'), policy)
  checkOrigin(caller)
  if (!caller.isKnown) return
  const mutates = !safeMethods.has(caller.method)
  if (mutates && !/^application\/json(;|$)/i.test(header(caller, 'content-type') ?? '')) {
    throw new Refusal(415, 'JSON_ONLY', 'send a JSON body with the content type application/json')
  }
  if (policy.token !== undefined && (mutates || (policy.tokenForReading && caller.path.startsWith('/v1/')))) {
    checkToken(header(caller, 'authorization'), policy.token)
  }
}

/** Against DNS rebinding: a foreign name that resolves to this computer is still a foreign name. */
function checkHost(host: string | undefined, { allowedHosts }: AccessPolicy): void {
  const name = hostname(host)
  if (name === undefined || (isIP(name) === 0 && name !== 'localhost' && !allowedHosts.includes(name))) {
    const remedy = 'call it by its address, or add the name to CONTROLLER_ALLOWED_HOSTS'
    throw new Refusal(403, 'FOREIGN_HOST', `the controller does not answer under this name: ${remedy}`)
  }
}

/** There is no CORS here: only the controller's own pages, and programs, may call. */
function checkOrigin(caller: Caller): void {
  const origin = header(caller, 'origin')
  const host = header(caller, 'host')
  const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
  const site = header(caller, 'sec-fetch-site')
  const isCrossSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (isForeign || isCrossSite) throw new Refusal(403, 'FOREIGN_ORIGIN', 'calls from other sites are refused')
}

function checkToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
  if (given === undefined) {
    throw new Refusal(401, 'TOKEN_MISSING', 'send the header Authorization: Bearer <POINTSMAN_API_TOKEN>')
  }
  // Equal lengths, so that the time of the comparison tells nothing.
  if (!timingSafeEqual(sha256(given), sha256(token)))
    throw new Refusal(401, 'TOKEN_WRONG', 'the token is wrong')
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function hostname(host: string | undefined): string | undefined {
  if (host === undefined) return undefined
  try {
    return new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  } catch {
    return undefined
  }
}

function header({ headers }: Caller, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
