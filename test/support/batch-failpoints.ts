import type { Failpoint } from '@pointsman/core/runtime/failpoint'

/** All of the batch lane that a text without a flaw comes by, in its order. */
export const batchFailpoints: readonly Failpoint[] = [
  'ba.fetch',
  'ba.claim',
  'ba.adopt',
  'ba.seal',
  'ba.file',
  'ba.upload',
  'ba.fileid',
  'ba.create',
  'ba.batchid',
  'ba.download',
  'ba.parse',
  'ba.upsert',
  'ba.mark',
  'ba.commit',
  'ba.archive'
]
