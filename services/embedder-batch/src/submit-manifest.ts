// Makes the job of an uploaded manifest, once: the call is journalled before it is made, and a call without an answer is
// looked for at the provider. Before a new file may be sent, the old one is deleted: a call that is still under way, or
// a paused former owner of this manifest, can then only make a job that fails, unbilled.
import { Failure, policyOf } from '@pointsman/core/domain/failure'
import type { JobKey, JobReport } from '@pointsman/core/ports/batch-provider'
import { messageOf } from '@pointsman/core/runtime/message-of'
import type { BatchDeps, StopSignals } from './batch-deps.ts'
import { hasRoomForJob, ledgerTimeMs } from './job-board.ts'
import { providerRestMs } from './provider-rest.ts'
import type { Manifest } from './manifest.ts'
import { noteReport } from './note-report.ts'

const roomPollMs = 1_000

export async function submitManifest(
  manifest: Manifest,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  const { clock, gates, hit, submitting } = deps
  const { notBeforeMs } = manifest.job
  if (notBeforeMs > 0)
    await clock.sleep(Math.max(0, notBeforeMs - (await ledgerTimeMs(deps, signal))), signal)
  await submitting.use(async () => {
    while (!(await hasRoomForJob(manifest, deps, signal))) await clock.sleep(roomPollMs, signal)
    await gates.provider.pass(signal)
    await manifest.advance('submitting', { creates: manifest.job.creates + 1 }, signal)
    hit('ba.create')
    await create(manifest, deps, grace)
  }, signal)
}

/** Settles whether a create call, of this process or of one that died, made a job. */
export async function resolveCreate(
  manifest: Manifest,
  deps: BatchDeps,
  { grace, signal }: StopSignals
): Promise<void> {
  const { clock, gates, options, provider, warn } = deps
  const key = jobKey(manifest, deps)
  const find = async (): Promise<JobReport | undefined> =>
    gates.provider.run(() => provider.find(key, signal), signal)
  const found = await find()
  if (found !== undefined) return submitted(manifest, found, deps, grace)

  const { inputFileId } = manifest.job
  await gates.provider.run(() => provider.deleteFile(inputFileId, signal), signal)
  await clock.sleep(options.doubtGraceMs, signal)
  const late = await find()
  if (late !== undefined) return submitted(manifest, late, deps, grace)
  warn(`manifest ${manifest.id}: create call ${key.create} made no job; its file is sent anew`)
  await manifest.advance('sealed', { inputFileId: '' }, grace)
}

async function create(manifest: Manifest, deps: BatchDeps, signal: AbortSignal): Promise<void> {
  const { gates, hit, provider, warn } = deps
  const { creates, inputFileId } = manifest.job
  let report: JobReport
  try {
    report = await provider.create(jobKey(manifest, deps), inputFileId, signal)
  } catch (error) {
    signal.throwIfAborted()
    warn(`manifest ${manifest.id}: create call ${creates}: ${messageOf(error)}`)
    const code = error instanceof Failure ? error.code : undefined
    const isUnknown = policyOf(error)[1] === 'unknown'
    if (code !== 'EMBED_RATE_LIMITED' && code !== 'JOB_GONE') gates.provider.close(messageOf(error))
    if (isUnknown) return
    // Surely no job.
    if (code === 'JOB_GONE') return manifest.advance('sealed', { inputFileId: '' }, signal)
    const toldMs = error instanceof Failure ? error.retryAfterMs : undefined
    const restMs = toldMs ?? providerRestMs(creates, deps)
    const notBeforeMs = (await ledgerTimeMs(deps, signal)) + restMs
    return manifest.advance('uploaded', { notBeforeMs }, signal)
  }
  hit('ba.batchid')
  await submitted(manifest, report, deps, signal)
}

async function submitted(
  manifest: Manifest,
  report: JobReport,
  deps: BatchDeps,
  signal: AbortSignal
): Promise<void> {
  const nowMs = await ledgerTimeMs(deps, signal)
  const fields = { batchId: report.batchId, submittedMs: nowMs, endedMs: 0 }
  await manifest.advance('submitted', { ...fields, ...noteReport(report, nowMs) }, signal)
}

function jobKey({ id, job }: Manifest, { owned }: BatchDeps): JobKey {
  return { ...owned, manifest: id, create: job.creates }
}
