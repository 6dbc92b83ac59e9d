import type { Terminal } from './terminal.ts'

const clearLine = '\r\u001B[2K'

/** One line that changes while a person watches; where nobody does, one line per `every` calls. */
export class LiveLine {
  readonly #terminal: Pick<Terminal, 'err' | 'isLive' | 'columns'>
  readonly #every: number
  #calls = 0
  #isOpen = false

  constructor(terminal: Pick<Terminal, 'err' | 'isLive' | 'columns'>, every = 10) {
    this.#terminal = terminal
    this.#every = every
  }

  show(text: string): void {
    this.#calls += 1
    if (this.#terminal.isLive) {
      this.#terminal.err(`${clearLine}${text.slice(0, this.#terminal.columns - 1)}`)
      this.#isOpen = true
    } else if (this.#calls % this.#every === 1 || this.#every === 1) this.#terminal.err(`${text}\n`)
  }

  /** Leaves nothing standing. */
  clear(): void {
    if (this.#isOpen) this.#terminal.err(clearLine)
    this.#isOpen = false
  }

  /** Leaves the last text, or another one, standing. */
  end(text?: string): void {
    if (text !== undefined) this.#terminal.err(`${this.#isOpen ? clearLine : ''}${text}\n`)
    else if (this.#isOpen) this.#terminal.err('\n')
    this.#isOpen = false
  }
}
