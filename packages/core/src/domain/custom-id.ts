import type { Digest } from './identity.ts'

/** What the line of a job is about, so that a job can be understood without the ledger. */
export interface LineName {
  readonly content: Digest
  readonly partition: number
  readonly offset: bigint
}

const pattern = /^([0-9a-f]{24})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,18})$/

/** `<content>.<partition>.<offset>`: at most 55 ASCII characters, where providers take 64. */
export function formatCustomId({ content, partition, offset }: LineName): string {
  return `${content}.${partition}.${offset}`
}

/** @returns undefined for what `formatCustomId` never writes. */
export function parseCustomId(text: string): LineName | undefined {
  const [, content, partition, offset] = pattern.exec(text) ?? []
  if (content === undefined || partition === undefined || offset === undefined) return undefined
  return { content: content as Digest, partition: Number(partition), offset: BigInt(offset) }
}
