// The producer as people run it, again and again over a folder that changes: documents come, change and go. One that was killed
// or failed is run again; at last one has to come to its end.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Expectation, Produced } from './expectation.ts'

const program = fileURLToPath(new URL('../../services/producer/src/main.ts', import.meta.url))
const documents = 160
const changesARound = 30
const pauseMs = 6_000

export class ProducerRuns {
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  readonly #expectation: Expectation
  readonly #random: () => number
  /** What is in the file now; a document that is missing there is deleted. */
  readonly #now = new Map<string, Produced>()
  #round = 0
  #child: ChildProcess | undefined
  #runs = 0

  constructor(
    folder: string,
    env: Readonly<Record<string, string>>,
    expectation: Expectation,
    random: () => number
  ) {
    this.#folder = folder
    this.#env = env
    this.#expectation = expectation
    this.#random = random
  }

  get runs(): number {
    return this.#runs
  }

  /** False when none runs. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false
  }

  async run(signal: AbortSignal): Promise<void> {
    await mkdir(join(this.#folder, 'root'), { recursive: true })
    while (!signal.aborted) {
      await this.#change()
      await this.#ingest()
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Runs until one is through: from then on the log has the folder as it is. */
  async finish(signal: AbortSignal): Promise<void> {
    while ((await this.#ingest()) !== 0) await sleep(500, undefined, { signal })
  }

  /** Versions rise by two: a tombstone takes the one between. */
  async #change(): Promise<void> {
    this.#round += 1
    const chosen = Array.from({ length: changesARound }, () => Math.floor(this.#random() * documents))
    // Each once a round: a version has one content.
    for (const [change, number] of [...new Set(chosen)].entries()) {
      const docId = `file-${number}`
      const known = this.#now.get(docId)
      if (known !== undefined && this.#random() < 0.2) {
        this.#now.delete(docId)
        this.#expectation.note({ ...known, version: known.version + 1, text: '', title: '', deleted: true })
        continue
      }
      const text = `What the folder says of ${docId} in round ${this.#round}, change ${change}.`
      const next = { docId, version: this.#round * 2, text, title: '', metadata: '{}', deleted: false }
      this.#now.set(docId, next)
      this.#expectation.note(next)
    }
    const lines = [...this.#now.values()].map(({ docId, text, version }) =>
      JSON.stringify({ id: docId, text, version })
    )
    const path = join(this.#folder, 'root', 'documents.jsonl')
    await writeFile(`${path}.new`, `${lines.join('\n')}\n`)
    await rename(`${path}.new`, path)
  }

  async #ingest(): Promise<number | null> {
    this.#runs += 1
    const log = openSync(join(this.#folder, 'producer.log'), 'a')
    const root = join(this.#folder, 'root')
    const env = { ...this.#env, POINTSMAN_STATE_DIR: join(this.#folder, 'state') }
    const child = spawn(process.execPath, [program, root, '--json', '--strict'], {
      stdio: ['ignore', log, log],
      env
    })
    closeSync(log)
    this.#child = child
    const [code] = await once(child, 'exit')
    this.#child = undefined
    return typeof code === 'number' ? code : null
  }
}
