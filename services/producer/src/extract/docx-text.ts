import mammoth from 'mammoth'
import { type ExtractedText, extractHtml } from './html-text.ts'
import { checkZip } from './zip-limits.ts'

const properties = 'docProps/core.xml'

const noPictures = { convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })) }

export async function extractDocx(bytes: Buffer): Promise<ExtractedText | { readonly reason: string }> {
  const checked = await checkZip(bytes, [properties])
  if ('reason' in checked) return checked
  const { value } = await mammoth.convertToHtml({ buffer: bytes }, noPictures)
  const { text } = extractHtml(value)
  return { title: titleOf(checked.entries.get(properties)), text }
}

function titleOf(coreXml: Buffer | undefined): string {
  const title = /<dc:title>([^<]{1,1000})</.exec(coreXml?.toString('utf8') ?? '')?.[1] ?? ''
  return title === '' ? '' : extractHtml(title).text
}
