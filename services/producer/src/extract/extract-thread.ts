// The thread in which documents of other people are parsed: see `document-extractor.ts`.
import { parentPort } from 'node:worker_threads'
import { decodeHtml } from '../decode-text.ts'
import { isHtmlTooDeep } from './html-depth.ts'
import type { Extraction, ExtractionRequest } from './extraction.ts'

async function extract({ kind, bytes }: ExtractionRequest): Promise<Extraction> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (kind) {
    case 'html': {
      const decoded = decodeHtml(buffer)
      if ('reason' in decoded) return decoded
      if (isHtmlTooDeep(decoded.text)) return { reason: 'the HTML is nested too deep' }
      const { extractHtml } = await import('./html-text.ts')
      return extractHtml(decoded.text)
    }
    case 'docx': {
      const { extractDocx } = await import('./docx-text.ts')
      return extractDocx(buffer)
    }
    case 'pdf': {
      const { extractPdf } = await import('./pdf-text.ts')
      return extractPdf(buffer)
    }
  }
}

function explain(kind: string, error: unknown): string {
  if (error instanceof RangeError) return `${kind} too large or nested too deep to be read`
  const name = error instanceof Error ? error.name : ''
  if (name === 'PasswordException') return 'encrypted: it needs a password'
  return `malformed ${kind}: ${error instanceof Error ? error.message.slice(0, 200) : 'unknown error'}`
}

parentPort?.on('message', (request: ExtractionRequest) => {
  extract(request).then(
    extraction => parentPort?.postMessage(extraction),
    (error: unknown) => parentPort?.postMessage({ reason: explain(request.kind, error) } satisfies Extraction)
  )
})
