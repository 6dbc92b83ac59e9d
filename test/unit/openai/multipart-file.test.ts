import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { multipartFile } from '@pointsman/core/adapters/openai/multipart-file'
import { expect, onTestFinished, test } from 'vitest'

/** Sends a file to a server that reads it at its leisure; returns the form that came. */
async function sent(content: Buffer, fileName: string, pauseMs: number): Promise<FormData> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pointsman-form-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await using handle = await open(path.join(directory, 'file'), 'wx+')
  await handle.writeFile(content)

  const received = Promise.withResolvers<FormData>()
  const server = createServer((request, response) => {
    received.resolve(formOf(request, pauseMs).finally(() => response.end()))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const form = multipartFile(handle, {
    fileName,
    bytes: content.length,
    fields: { purpose: 'batch', 'a[b]': '1' }
  })
  const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', duplex: 'half', ...form })
  await response.body?.cancel()
  return await received.promise
}

async function formOf(request: IncomingMessage, pauseMs: number): Promise<FormData> {
  const pieces: Buffer[] = []
  let pauseAt = 0
  let length = 0
  for await (const piece of request) {
    pieces.push(Buffer.from(piece))
    length += piece.length
    if (length < pauseAt) continue
    pauseAt = length + 1_000_000
    await delay(pauseMs)
  }
  expect(request.headers['content-length']).toBe(String(length))
  expect(request.headers['transfer-encoding']).toBeUndefined()
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  return await new Response(Buffer.concat(pieces), { headers }).formData()
}

test.each([
  ['nothing', 0, 0],
  ['a line', 100, 0],
  ['as much as one piece', 65_536, 0],
  ['more than all pieces together', 20_000_001, 0],
  ['as much, read slowly', 20_000_001, 5]
])('a form with a file of %s arrives as it was written', async (_, bytes, pauseMs) => {
  const content = randomBytes(bytes)
  const form = await sent(content, 'input.jsonl', pauseMs)

  const file = form.get('file')
  if (!(file instanceof File)) throw new Error('no file came')
  expect(file.name).toBe('input.jsonl')
  expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true)
  expect([...form.keys()]).toEqual(['purpose', 'a[b]', 'file'])
  expect(form.get('a[b]')).toBe('1')
})

test('a name cannot end its own quotes', async () => {
  const file = (await sent(Buffer.from('x'), 'a"; b\r\nc.jsonl', 0)).get('file')
  expect(file instanceof File && file.name).toBe('a_; b__c.jsonl')
})
