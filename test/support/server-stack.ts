import type { StackEnv } from '../../tools/stack/stack-env.ts'

/** The real servers of one run of the tests, ready. Disposing ends them and removes all that they stored. */
export interface ServerStack extends AsyncDisposable {
  readonly env: StackEnv
}
