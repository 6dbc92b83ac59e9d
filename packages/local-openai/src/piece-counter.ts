// Counts the tokens of a text piece by piece. cl100k_base splits a text into pieces (mostly a word with the blank
// before it) and merges bytes within a piece only, so a text has as many tokens as its pieces together. Pieces
// recur: their counts are kept in a table of fixed size, and the plain ASCII ones, which are nearly all, are found
// without the regular expression and without making a string. Whatever is not plain goes through the expression.

/** The split of cl100k_base, to be matched at one place. */
const piecePattern =
  /(?:'[sS]|'[dD]|'[mM]|'[tT]|'[lL][lL]|'[vV][eE]|'[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]|\s+(?!\S)|\s/uy

const slots = 1 << 16
const maxPieceLength = 64
const maxMergedLength = 16_384

const other = 0
const letter = 1
const digit = 2
const lineEnd = 3

/** The class of each ASCII character. */
const classes = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[a-z]/i.test(character)) return letter
  if (/\d/.test(character)) return digit
  return character === '\r' || character === '\n' ? lineEnd : other
})

const apostrophe = 39

export class PieceCounter {
  readonly #countPiece: (piece: string) => number
  readonly #pieces: string[] = Array.from({ length: slots }, () => '')
  readonly #counts = new Uint8Array(slots)

  /** @param countPiece - tokens of one piece. */
  constructor(countPiece: (piece: string) => number) {
    this.#countPiece = countPiece
  }

  count(text: string): number {
    let tokens = 0
    for (let start = 0; start < text.length; ) {
      const end = plainPieceEnd(text, start) ?? matchedPieceEnd(text, start)
      tokens += this.#lookUp(text, start, end)
      start = end
    }
    return tokens
  }

  #lookUp(text: string, start: number, end: number): number {
    const length = end - start
    if (length > maxPieceLength) return this.#countLong(text.slice(start, end))
    let hash = length
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & (slots - 1)
    const known = this.#pieces[slot] ?? ''
    if (known.length === length && text.startsWith(known, start)) return this.#counts[slot] ?? 0

    const piece = text.slice(start, end)
    const tokens = this.#countPiece(piece)
    this.#pieces[slot] = piece
    this.#counts[slot] = tokens
    return tokens
  }

  /** Merging takes time with the square of the length: a monster is counted in parts, and a token more for each cut. */
  #countLong(piece: string): number {
    let tokens = 0
    for (let from = 0; from < piece.length; from += maxMergedLength) {
      tokens += this.#countPiece(piece.slice(from, from + maxMergedLength))
    }
    return tokens
  }
}

/** The end of a piece of ASCII letters with at most one other character before them, if one begins here. */
function plainPieceEnd(text: string, start: number): number | undefined {
  const first = text.charCodeAt(start)
  // An apostrophe may begin one of the endings that are pieces of their own.
  if (first >= 128 || first === apostrophe) return undefined
  const kind = classes[first]
  if (kind === digit || kind === lineEnd) return undefined
  let end = kind === letter ? start : start + 1
  const letters = end
  let code = text.charCodeAt(end)
  while (code < 128 && classes[code] === letter) code = text.charCodeAt(++end)
  // A letter that is not ASCII would belong to the piece. (Past the end the code is NaN.)
  return end === letters || code >= 128 ? undefined : end
}

function matchedPieceEnd(text: string, start: number): number {
  piecePattern.lastIndex = start
  piecePattern.test(text)
  // Every character is in some alternative, so there is always a match.
  return piecePattern.lastIndex
}
