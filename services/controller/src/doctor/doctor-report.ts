import { z } from 'zod'

export const finding = z.object({
  check: z.string(),
  severity: z.enum(['ok', 'warning', 'error']),
  finding: z.string(),
  remedy: z.string().nullable()
})
export type Finding = z.output<typeof finding>

export const doctorReport = z.object({
  healthy: z.boolean().describe('no finding is an error'),
  findings: z.array(finding)
})
export type DoctorReport = z.output<typeof doctorReport>
