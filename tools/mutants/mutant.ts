// A mutant is data: a rule of the protocol, and the text that has to be replaced so that the product does not keep it.

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Occurs once in it. */
  readonly text: string
  readonly replacement: string
}

export interface Mutant {
  readonly name: string
  /** What the product does, and the mutant does not. */
  readonly rule: string
  readonly edits: readonly Edit[]
}
