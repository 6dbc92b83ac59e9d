// Switches without end: each of any strategy and share, asked of either controller, some by the command line, some twice at
// once, some aborted, some undone. What came of them the control log tells.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Lane } from '@pointsman/core/domain/lane'

export interface SwitchAnswer {
  /** 0: no answer. */
  readonly status: number
  readonly text: string
}

const strategies = ['detach', 'detach', 'force', 'drain'] as const
/** A share never falls, so part of a lane is often asked for in vain: most take all of it. */
const shares = [1, 1, 1, 0.5, 0.75] as const
const deadlineMs = 6_000
const pauseMs = 1_200
const answerMs = 20_000
const cli = fileURLToPath(new URL('../../services/controller/src/cli/main.ts', import.meta.url))

export class Switches {
  readonly #urls: readonly string[]
  readonly #laneNow: () => Promise<Lane>
  readonly #random: () => number
  readonly #tell: (text: string) => void
  #asked = 0

  /** @param laneNow - of most partitions. */
  constructor(
    urls: readonly string[],
    laneNow: () => Promise<Lane>,
    random: () => number,
    tell: (text: string) => void
  ) {
    this.#urls = urls
    this.#laneNow = laneNow
    this.#random = random
    this.#tell = tell
  }

  get asked(): number {
    return this.#asked
  }

  /** Until the signal aborts; who has been asked may answer. */
  async run(signal: AbortSignal): Promise<void> {
    const asked: Promise<void>[] = []
    while (!signal.aborted) {
      asked.push(this.#throw(signal))
      await sleep(pauseMs * (1 + this.#random()), undefined, { signal }).catch(() => undefined)
    }
    await Promise.all(asked)
  }

  async #throw(signal: AbortSignal): Promise<void> {
    this.#asked += 1
    const switchId = `chaos-${this.#asked}`
    const dice = this.#random()
    const [one, other] = this.#random() < 0.5 ? this.#urls : this.#urls.toReversed()
    const strategy = this.#pick(strategies)
    // There and back, but not always.
    const [lane, isSame] = [await this.#laneNow(), this.#random() < 0.15]
    const target = (lane === 'batch') === isSame ? 'batch' : 'realtime'
    const wish = {
      switchId,
      target,
      strategy,
      share: strategy === 'force' ? 1 : this.#pick(shares),
      deadlineMs,
      evenIfUnready: this.#random() < 0.7,
      actor: 'chaos',
      reason: 'chaos'
    }
    if (one === undefined || other === undefined) return
    if (dice < 0.08)
      return this.#say(
        `rollback ${switchId}`,
        await this.#ask(one, 'POST', '/rollback', { switchId, evenIfUnready: true })
      )
    if (dice < 0.14) return this.#byCommandLine(one, target, switchId)
    const answers = [this.#ask(one, 'POST', '', wish)]
    // The same wish of both, or another one of the other.
    if (dice < 0.2) answers.push(this.#ask(other, 'POST', '', wish))
    else if (dice < 0.28)
      answers.push(this.#ask(other, 'POST', '', { ...wish, switchId: `${switchId}-rival`, target: 'batch' }))
    else if (dice < 0.4) {
      await sleep(this.#random() * 400, undefined, { signal }).catch(() => undefined)
      answers.push(this.#ask(other, 'DELETE', '/current', { actor: 'chaos', reason: 'chaos' }))
    }
    const told = await Promise.all(answers)
    this.#say(`switch ${switchId} to ${target}, ${strategy}, ${wish.share}`, ...told)
  }

  async #byCommandLine(url: string, target: string, switchId: string): Promise<void> {
    const args = [cli, 'switch', target, '--id', switchId, '--yes', '--even-if-unready', '--reason', 'chaos']
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', POINTSMAN_URL: url }
    const child = spawn(process.execPath, args, { stdio: 'ignore', env })
    const killing = setTimeout(() => child.kill('SIGKILL'), answerMs)
    const [code] = await once(child, 'exit')
    clearTimeout(killing)
    this.#tell(`switch ${switchId} to ${target} by the command line: exit code ${code}`)
  }

  #say(what: string, ...answers: readonly SwitchAnswer[]): void {
    const told = answers.map(({ status, text }) => (status === 200 ? text : `${status} ${text}`))
    this.#tell(`${what}: ${told.join('; ')}`)
  }

  async #ask(url: string, method: string, path: string, body: object): Promise<SwitchAnswer> {
    try {
      const reply = await fetch(`${url}/v1/switches${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(answerMs)
      })
      const answer: { readonly state?: string; readonly code?: string } = JSON.parse(await reply.text())
      return { status: reply.status, text: answer.state ?? answer.code ?? '' }
    } catch (error) {
      return { status: 0, text: error instanceof Error ? error.message : String(error) }
    }
  }

  #pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[Math.floor(this.#random() * items.length)] ?? items[0]
  }
}
