// Rules of the batch lane: a text has one job at a time, and a job is made once.
import type { Mutant } from './mutant.ts'

const folder = 'services/embedder-batch/src'
const submit = `${folder}/submit-manifest.ts`

export const batchMutants: readonly Mutant[] = [
  {
    name: 'nolist',
    rule: "the provider's jobs are listed before a create call without an answer is repeated",
    edits: [
      {
        file: submit,
        text: 'gates.provider.run(() => provider.find(key, signal), signal)',
        replacement: 'undefined'
      }
    ]
  },
  {
    name: 'nofilefence',
    rule: 'the input file is deleted before another is sent',
    edits: [
      {
        file: submit,
        text: 'await gates.provider.run(() => provider.deleteFile(inputFileId, signal), signal)',
        replacement: ''
      }
    ]
  },
  {
    name: 'latecreate',
    rule: 'a create call is journalled before it is made',
    edits: [
      {
        file: submit,
        text: "await manifest.advance('submitting', { creates: manifest.job.creates + 1 }, signal)",
        replacement: `const key = { ...jobKey(manifest, deps), create: manifest.job.creates + 1 }
    const made = deps.provider.create(key, manifest.job.inputFileId, grace)
    await made.catch(() => undefined)
    hit('ba.batchid')
    await manifest.advance('submitting', { creates: manifest.job.creates + 1 }, signal)
    deps = { ...deps, provider: { create: () => made } }`
      }
    ]
  },
  {
    name: 'earlyharvest',
    rule: 'a job is harvested when it has ended, not while it is being cancelled',
    edits: [
      {
        file: `${folder}/follow-job.ts`,
        text: "return status === 'completed' ||",
        replacement: "return status === 'cancelling' || status === 'completed' ||"
      },
      {
        file: `${folder}/follow-job.ts`,
        text: 'if (hasFile || withoutFile >= looksForFiles)',
        replacement: "if (hasFile || withoutFile >= looksForFiles || report.status === 'cancelling')"
      }
    ]
  },
  {
    name: 'earlydrop',
    rule: 'from sealing to the end of the job no part is dropped, also if it is superseded',
    edits: [
      {
        file: `${folder}/run-manifest.ts`,
        text: 'await submitManifest(manifest, deps, stop)',
        replacement: `for await (const parts of manifest.pages(stop.signal)) {
          const flags = await deps.ledger.superseded(parts)
          const old = parts.filter((_, index) => flags[index])
          await deps.ledger.settle(manifest.id, manifest.owner, old.map(part => ({ part, settlement: 'skipped' })), 0)
        }
        await submitManifest(manifest, deps, stop)`
      }
    ]
  },
  {
    name: 'hastyletter',
    rule: 'a text is given up only after several jobs came to nothing for it',
    edits: [
      {
        file: `${folder}/job-source.ts`,
        text: 'failures >= this.#deps.options.maxFailures',
        replacement: 'failures >= 1'
      }
    ]
  }
]
