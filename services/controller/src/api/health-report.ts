import { z } from 'zod'
import { rebuildReport } from '../status/rebuild-report.ts'
import { partHealth } from '../status/status-report.ts'

// What GET /v1/health answers: cheap enough to be asked every second.

/**
 * - `ready`      all parts answer, and documents can be admitted.
 * - `rebuilding` the ledger was lost, and learns what was before it.
 * - `degraded`   a part is away or unfit.
 */
export const healthReport = z.object({
  status: z.enum(['ready', 'rebuilding', 'degraded']),
  reasons: z.array(z.string()),
  parts: z.array(partHealth),
  ledgerId: z.string().nullable().describe('null while the ledger does not answer'),
  rebuild: rebuildReport.nullable()
})
export type HealthReport = z.output<typeof healthReport>
