import type { NewClient } from './client.ts'
import { withDeadline } from './deadline.ts'

const callMs = 10_000

/**
 * What the cluster calls itself: it keeps that name when its addresses change, and another cluster has another.
 * @throws {Failure} `LOG_UNAVAILABLE`
 */
export async function loadClusterId(newClient: NewClient, signal: AbortSignal): Promise<string> {
  const admin = newClient().admin()
  const asking = (async () => {
    await admin.connect()
    const { clusterId } = await admin.describeCluster()
    return clusterId
  })()
  try {
    return await withDeadline(asking, {
      ms: callMs,
      what: 'asking for the cluster',
      code: 'LOG_UNAVAILABLE',
      signal
    })
  } finally {
    // Not waited for: the broker may be away.
    admin.disconnect().catch(() => undefined)
  }
}
