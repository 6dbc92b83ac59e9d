import { z } from 'zod'

/** A text of people: not blank, without blanks around it, of at most so many characters (not UTF-16 units). */
export function shortText(maxCharacters: number) {
  return z
    .string()
    .regex(/\S/, 'must not be blank')
    .refine(text => Array.from(text).length <= maxCharacters, `must have at most ${maxCharacters} characters`)
    .trim()
    .meta({ maxLength: maxCharacters })
}
