import type { ViewFault } from '../fault-request-kinds.ts'

const fileIds = {
  output: ['output_file_id'],
  error: ['error_file_id'],
  both: ['output_file_id', 'error_file_id']
}
const ended: ReadonlySet<string> = new Set(['completed', 'failed', 'expired', 'cancelled'])

/** A job as it is shown when it is shown wrongly. */
export function spoilJob(shown: Readonly<Record<string, unknown>>, fault: ViewFault): object {
  switch (fault.kind) {
    case 'wrong_status':
      return {
        ...shown,
        status: fault.shown,
        // A job that has not ended has no files.
        ...(!ended.has(fault.shown) && { output_file_id: null, error_file_id: null })
      }
    case 'missing_file_ids':
      return replaceIds(shown, fileIds[fault.file], fault.as)
    case 'empty_file_ids':
      return replaceIds(
        shown,
        fileIds.both.filter(name => shown[name] === null),
        'empty'
      )
    case 'wrong_counts': {
      const { completed, failed, total } = fault
      return { ...shown, request_counts: { total, completed, failed } }
    }
  }
}

function replaceIds(
  shown: Readonly<Record<string, unknown>>,
  names: readonly string[],
  as: 'null' | 'empty' | 'absent'
): object {
  const kept = Object.entries(shown).filter(([name]) => !names.includes(name))
  const replaced = as === 'absent' ? [] : names.map(name => [name, as === 'null' ? null : ''])
  return Object.fromEntries([...kept, ...replaced])
}
