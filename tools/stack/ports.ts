// Port numbers for the servers of one stack: a block of neighbours, reserved against other stacks starting at the same
// moment. Below the ephemeral range: a client that keeps dialling a server that is down would otherwise be given the
// server's own number sooner or later, connect to itself and keep the server from coming back.

import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { tryLock } from '../bootstrap/lock.mjs'
import { StackError } from './stack-error.ts'

const lowest = 12_000
const highest = 32_000
const blockSize = 24
const attempts = 200

export interface PortBlock extends AsyncDisposable {
  readonly first: number
}

export async function reservePortBlock(): Promise<PortBlock> {
  const folder = join(tmpdir(), `pointsman-ports-${userInfo().uid}`)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const first = lowest + blockSize * randomInt(Math.floor((highest - lowest) / blockSize))
    const release = await tryLock(join(folder, String(first)))
    if (release === undefined) continue
    const free = await Promise.all(Array.from({ length: blockSize }, (_, index) => isFree(first + index)))
    if (free.every(Boolean)) return { first, [Symbol.asyncDispose]: release }
    await release()
  }
  throw new StackError(`no ${blockSize} free ports in a row between ${lowest} and ${highest}`)
}

/** On all addresses: some servers cannot be told to bind to one. */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  probe.once('error', () => resolve(false))
  probe.listen({ port, host: '0.0.0.0' }, () => probe.close(() => resolve(true)))
  return promise
}
