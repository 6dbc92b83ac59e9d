import { extractText, getDocumentProxy, getMeta } from 'unpdf'
import type { ExtractedText } from './html-text.ts'

export async function extractPdf(bytes: Buffer): Promise<ExtractedText> {
  const pdf = await getDocumentProxy(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
    // No fonts of this computer, no pictures.
    disableFontFace: true,
    useSystemFonts: false,
    maxImageSize: 0,
    verbosity: 0
  })
  const { info } = await getMeta(pdf)
  const { text } = await extractText(pdf, { mergePages: true })
  const title: unknown = info['Title']
  return { title: typeof title === 'string' ? title : '', text }
}
