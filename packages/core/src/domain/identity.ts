declare const brand: unique symbol

/** 96 bits of a SHA-256 as 24 hex digits: what the ledger compares instead of long names. */
export type Digest = string & { readonly [brand]: 'digest' }

/** A UUID: identity of one object in the index. One per content generation of a document. */
export type ObjectId = string & { readonly [brand]: 'object' }

/** One life of one process, `<epoch>.<n>`: unique even after the ledger was lost, since epochs never fall. */
export type OwnerId = string & { readonly [brand]: 'owner' }

/** `<owner>.<n>`: a set of parts that one owner has promised to finish. */
export type ObligationId = string & { readonly [brand]: 'obligation' }

/** The embedding that a text is turned into; part of every payment key. */
export interface EmbeddingSpec {
  readonly model: string
  readonly dimensions: number
}
