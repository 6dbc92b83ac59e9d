import { z } from 'zod'

/** What a client may say its file is for. */
export const uploadPurposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const

export const fileRecordSchema = z.object({
  id: z.string(),
  bytes: z.number().int(),
  createdMs: z.number(),
  /** Added to all times that are shown. */
  skewMs: z.number().default(0),
  filename: z.string(),
  purpose: z.enum([...uploadPurposes, 'batch_output']),
  /** Null: it stays until it is deleted. */
  expiresMs: z.number().nullable(),
  /** By a fault: nobody finds it before. */
  visibleMs: z.number().optional(),
  /** By a fault: not in the list before. */
  listedMs: z.number().optional(),
  /** By a fault: gone from then on, although it shows another expiry. */
  goneMs: z.number().optional()
})

export type FileRecord = Readonly<z.output<typeof fileRecordSchema>>

/** As the API shows it; times are seconds since 1970. */
export function showFile(file: FileRecord): object {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: toSeconds(file.createdMs + file.skewMs),
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
    expires_at: file.expiresMs === null ? null : toSeconds(file.expiresMs + file.skewMs),
    status_details: null
  }
}

export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}
