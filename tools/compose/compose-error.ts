/** Why the compose file cannot be tried here, for a person. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError'
}
