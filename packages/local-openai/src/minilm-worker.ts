// A thread of `MinilmVectors`: loads the model, says so, then answers lists of texts with their vectors.

import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { MinilmModel } from './minilm-model.ts'

const port = parentPort
if (!port) throw new Error('this file runs in a worker thread')

const model = await MinilmModel.load(z.string().parse(workerData))
const textsSchema = z.array(z.string())

port.on('message', (message: unknown) => {
  void answer(textsSchema.parse(message))
})
port.postMessage('ready')

async function answer(texts: readonly string[]): Promise<void> {
  const rows: Float32Array[] = []
  for (const text of texts) rows.push(await model.embed(text))
  port?.postMessage(rows)
}
