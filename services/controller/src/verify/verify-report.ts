import { z } from 'zod'
import { repairReport } from './repair-report.ts'

// What `pointsman verify` and POST /v1/verify answer.

const count = z.int().nonnegative()

/**
 * - `lost`      the newest version is neither indexed nor open nor among the dead letters.
 * - `missing`   the ledger says indexed, and no object is there.
 * - `duplicate` more than one object for a document.
 * - `stale`     the object is not that of the newest version.
 * - `surplus`   an object of a deleted document, or one that neither log nor ledger knows.
 * - `mismatch`  log and index agree, the ledger says something else.
 */
export const differenceKinds = ['lost', 'missing', 'duplicate', 'stale', 'surplus', 'mismatch'] as const
export type DifferenceKind = (typeof differenceKinds)[number]

export const example = z.object({
  docId: z.string(),
  detail: z.string(),
  version: z.number().nullable(),
  partition: count.nullable(),
  offset: z.number().nullable(),
  objectId: z.string().nullable()
})
export type Example = z.output<typeof example>

const found = z.object({ count, examples: z.array(example) })

export const verifyReport = z.object({
  consistent: z.boolean().describe('no difference of any kind; dead letters are not differences'),
  quiet: z.boolean().describe('nothing was unread or in flight while it ran; otherwise differences may pass'),
  durationMs: z.number().nonnegative(),
  log: z.object({
    records: count,
    documents: count.describe('whose newest version is not a tombstone'),
    deleted: count,
    unreadable: count,
    unknownSchema: count
  }),
  index: z.object({
    objects: count,
    unindexed: count.describe('stored, and not searchable yet: the index works them off by itself'),
    olderThanLog: count.describe('objects whose records the log no longer keeps, as the ledger has them')
  }),
  ledger: z.object({
    indexed: count,
    deleted: count,
    open: count,
    unread: count,
    dead: count,
    expected: count.describe('to be admitted again'),
    olderThanLog: count
  }),
  differences: z.object({
    lost: found,
    missing: found,
    duplicate: found,
    stale: found,
    surplus: found,
    mismatch: found
  } satisfies Record<DifferenceKind, typeof found>),
  dead: found.describe('given up and kept as dead letters'),
  repair: repairReport
    .nullable()
    .describe('what was done before; the rest of the report is of after it. Null: nothing was to be repaired')
})
export type VerifyReport = z.output<typeof verifyReport>

export const verifyProgress = z.object({
  phase: z.enum(['log', 'index', 'ledger', 'repair']),
  done: count,
  total: count
})
export type VerifyProgress = z.output<typeof verifyProgress>

export const verifyRequest = z
  .object({
    examples: z.int().min(0).max(1000).default(10).describe('named differences of each kind'),
    all: z.boolean().default(false).describe('name every difference'),
    repair: z.boolean().default(false).describe('mend what is found, then compare once more'),
    removeUnknown: z
      .boolean()
      .default(false)
      .describe('a repair removes objects that neither log nor ledger knows, however many they are')
  })
  .strict()
