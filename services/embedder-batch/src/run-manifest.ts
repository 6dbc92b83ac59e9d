import type { BatchDeps, StopSignals } from './batch-deps.ts'
import { followJob } from './follow-job.ts'
import { harvestJob } from './harvest-job.ts'
import type { Manifest } from './manifest.ts'
import { sealManifest } from './seal-manifest.ts'
import { resolveCreate, submitManifest } from './submit-manifest.ts'
import { uploadManifest } from './upload-manifest.ts'

/**
 * Carries a manifest of ours from the state it is in to its end. Each step leaves it in a state from which any other
 * instance can go on.
 * @throws {Disowned} it is somebody else's by now; the signal's reason.
 */
export async function runManifest(manifest: Manifest, deps: BatchDeps, stop: StopSignals): Promise<void> {
  for (;;) {
    stop.signal.throwIfAborted()
    switch (manifest.state) {
      case 'open':
        await sealManifest(manifest, deps, stop.grace)
        break
      case 'sealed': {
        const { signal } = stop
        const isSent = await deps.uploading.use(() => uploadManifest(manifest, deps, signal), signal)
        // Nothing is left of it: superseded, or gone from the log.
        if (!isSent && (await manifest.archive(stop.grace))) return
        break
      }
      case 'uploaded':
        await submitManifest(manifest, deps, stop)
        break
      case 'submitting':
        await resolveCreate(manifest, deps, stop)
        break
      case 'submitted':
        await followJob(manifest, deps, stop)
        break
      case 'terminal':
        return harvestJob(manifest, deps, stop)
    }
  }
}
