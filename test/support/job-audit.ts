// What the provider itself says of our jobs and files: the oracle of the batch lane, beside the bill and the index.
import type OpenAI from 'openai'

export interface JobAudit {
  /** Manifests of which more than one job ran. */
  readonly repeatedJobs: readonly string[]
  /** Jobs that carry no name of a manifest. */
  readonly strangers: readonly string[]
  /** Jobs that ran, over all manifests. */
  readonly jobs: number
}

/** A job that failed validation ran nothing and cost nothing. */
export async function auditJobs(client: OpenAI): Promise<JobAudit> {
  const byManifest = new Map<string, number>()
  const strangers: string[] = []
  for await (const { id, metadata, status } of client.batches.list({ limit: 100 })) {
    if (status === 'failed') continue
    const manifest = metadata?.['pointsman_manifest']
    if (manifest === undefined) strangers.push(id)
    else byManifest.set(manifest, (byManifest.get(manifest) ?? 0) + 1)
  }
  return {
    repeatedJobs: [...byManifest].flatMap(([manifest, jobs]) => (jobs > 1 ? manifest : [])),
    strangers,
    jobs: [...byManifest.values()].reduce((sum, jobs) => sum + jobs, 0)
  }
}

/** Names of the files that are at the provider. */
export async function filesLeft(client: OpenAI): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { filename } of client.files.list({ limit: 10_000 })) names.push(filename)
  return names
}
