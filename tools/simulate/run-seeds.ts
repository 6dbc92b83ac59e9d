// Many seeds, on several threads.
import { Worker } from 'node:worker_threads'
import type { SeedResult } from './worker.ts'

export interface ManySeeds {
  readonly first: number
  readonly count: number
  readonly threads: number
  readonly onResult: (result: SeedResult, done: number) => void
}

/** Resolves when all have ended; they end in any order. */
export async function runSeeds({ count, first, onResult, threads }: ManySeeds): Promise<void> {
  let next = first
  let done = 0
  const end = first + count
  const run = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    const ended = Promise.withResolvers<void>()
    const ask = (): void => {
      if (next >= end) return ended.resolve()
      worker.postMessage(next)
      next += 1
    }
    worker.on('error', error => ended.reject(error))
    worker.on('message', (result: SeedResult) => {
      done += 1
      onResult(result, done)
      ask()
    })
    ask()
    try {
      await ended.promise
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, count) }, run))
}
