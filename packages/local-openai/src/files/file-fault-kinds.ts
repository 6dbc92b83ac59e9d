import { z } from 'zod'
import { seconds, when } from '../fault-when.ts'

// What may become of an uploaded file. Drawn when it is stored.

const ofFile = { ...when, route: z.literal('files').default('files') }

export const fileKinds = [
  /** Is stored, but for so long nobody finds it, jobs neither; or only the list does not show it. */
  z.strictObject({
    ...ofFile,
    kind: z.literal('file_hidden'),
    seconds,
    where: z.enum(['everywhere', 'list']).default('everywhere')
  }),
  /** Is gone so long after its upload, whatever was asked for. */
  z.strictObject({ ...ofFile, kind: z.literal('file_expired'), afterSeconds: seconds.default(0) })
] as const

const fileFaultSchema = z.discriminatedUnion('kind', fileKinds)

export type FileFault = Readonly<z.output<typeof fileFaultSchema>>
