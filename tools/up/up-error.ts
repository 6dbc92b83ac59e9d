/** Why it cannot be up, for a person. */
export class UpError extends Error {
  override readonly name = 'UpError'
}
