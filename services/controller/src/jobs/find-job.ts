export interface NamedJob {
  readonly id: string
  readonly batchId: string | null
}

/**
 * The job that a person means: by the id of its manifest, that of the provider, or the beginning of either.
 * @returns the ids that fit when there are several.
 */
export function findJob<Found extends NamedJob>(
  jobs: readonly Found[],
  wanted: string
): Found | { readonly several: readonly string[] } | undefined {
  const exact = jobs.find(({ id, batchId }) => id === wanted || batchId === wanted)
  if (exact) return exact
  if (wanted === '') return undefined
  const fitting = jobs.filter(
    ({ id, batchId }) => id.startsWith(wanted) || batchId?.startsWith(wanted) === true
  )
  return fitting.length > 1 ? { several: fitting.map(({ id }) => id) } : fitting[0]
}
