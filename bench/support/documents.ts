// Documents for measurements: about 100 words each, the same for the same seed, and no two alike.
import { textHash } from '@pointsman/core/runtime/identity'
import type { Document } from '@pointsman/core/domain/document'
import { countTokens } from '../../services/producer/src/count-tokens.ts'
import { seededRandom } from './seeded-random.ts'

/** Plain prose, so that tokens per word are those of prose. */
const words =
  `the of and a to in is that for it as with was on be by are this from at or an have not but which one
all their there been more when will would who them some time could into only other than its now over such our even
most made after also did many before must through years where much way well down should because each just those
people state great little own under same world still nation between never found right off used both life being came
three too last few again might while place house high thought small course without number against water general
system public during night school however business government children order present possible given large several
program young since become important problem certain field four early always power away something line social group
asked until measurement interesting conversation responsibility instrumentation archipelago photosynthesis railway
signal junction locomotive freight platform timetable harbour cathedral gravity chlorophyll manuscript telescope
apprentice laboratory correspondence hypothesis parliament velocity magnetism granite lighthouse orchard`
    .split(/\s+/)
    .filter(word => word !== '')

const wordsPerText = 100

export interface SeededText {
  readonly docId: string
  readonly title: string
  readonly text: string
}

/** @param seed - different seeds share no text. */
export function* seededTexts(seed: string, count: number): Generator<SeededText> {
  const random = seededRandom(seed)
  const word = (): string => words[Math.floor(random() * words.length)] ?? ''
  for (let index = 0; index < count; index += 1) {
    const title = `${word()} ${word()} ${word()}`
    yield { docId: `${seed}-${index.toString().padStart(7, '0')}`, title, text: sentences(word, random) }
  }
}

/** The same texts as Pointsman's documents, hashed and counted as the producer does. */
export function* seededDocuments(seed: string, count: number): Generator<Document> {
  for (const { docId, text, title } of seededTexts(seed, count)) {
    yield {
      docId,
      sourceId: docId,
      version: 1,
      chunk: 0,
      chunks: 1,
      title,
      text,
      textHash: textHash(text),
      tokens: countTokens(text),
      metadata: '{"collection":"bench"}',
      deleted: false
    }
  }
}

function sentences(word: () => string, random: () => number): string {
  const made: string[] = []
  for (let left = wordsPerText; left > 0; ) {
    const length = Math.min(left, 8 + Math.floor(random() * 9))
    const sentence = Array.from({ length }, word).join(' ')
    made.push(`${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`)
    left -= length
  }
  return made.join(' ')
}
