/** Starts other parts of Pointsman, which are programs of their own. */
export interface ProcessRunner {
  /**
   * Runs a TypeScript program of this project until it ends; Ctrl-C reaches it too.
   * @param path - relative to the project, e.g. `services/producer/src/main.ts`.
   * @param onLine - gets each line of its standard output, the next one when it has done with it; without it, output goes
   *   where ours goes.
   * @returns its exit code; 1 when a signal ended it.
   */
  (
    path: string,
    args: readonly string[],
    options: {
      readonly env: Readonly<Record<string, string | undefined>>
      readonly onLine?: (line: string) => void | Promise<void>
    }
  ): Promise<number>
}
