/** What became of a mutant under one kind of check. */
export type Attempt =
  /** @param runs - seeds, or histories of the property that failed, up to the one that showed it. */
  | { readonly kind: 'caught'; readonly invariant: string; readonly message: string; readonly runs: number }
  | { readonly kind: 'survived'; readonly runs: number }
  /** It could not be judged: not loaded, or nothing works with it. That is no kill. */
  | { readonly kind: 'broken'; readonly message: string }
