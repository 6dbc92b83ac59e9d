/** Formats whose parsers can hang or eat memory on a hostile file. */
export type ExtractionKind = 'html' | 'docx' | 'pdf'

export interface ExtractionRequest {
  readonly kind: ExtractionKind
  readonly bytes: Uint8Array
}

export type Extraction = { readonly title: string; readonly text: string } | { readonly reason: string }
