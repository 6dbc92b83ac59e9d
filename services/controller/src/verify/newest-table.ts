// What an audit keeps of every document in the log: its newest version. A million documents must fit beside
// everything else, so it is one open-addressing table on typed arrays (62 bytes a place, at most 70 % full), and
// texts and names are not in it: a name that is to be shown is read again from the log, by partition and offset.

import type { Digest } from '@pointsman/core/domain/identity'

/** The newest version of one document in the log. */
export interface Newest {
  readonly version: number
  readonly partition: number
  readonly offset: number
  /** Payment key; undefined for a tombstone. */
  readonly content: Digest | undefined
}

/** What stands in the index for a document. */
export interface Stored {
  readonly objects: number
  /** Objects with the content of the newest version. */
  readonly current: number
  /** Highest generation of the objects with the newest content, or of all when none has it; 0 without objects. */
  readonly generation: number
}

const wordsPerKey = 3
const hexPerWord = 8
const maxFill = 0.7

const tombstone = 1

export class NewestTable {
  #places: number
  #count = 0
  #used: Uint8Array
  #keys: Uint32Array
  #contents: Uint32Array
  #versions: Float64Array
  #offsets: Float64Array
  #partitions: Uint16Array
  #flags: Uint8Array
  #objects: Uint16Array
  #current: Uint16Array
  #generations: Float64Array

  /** @param places - at first; it grows. A power of two. */
  constructor(places = 4096) {
    this.#places = places
    this.#used = new Uint8Array(places)
    this.#keys = new Uint32Array(places * wordsPerKey)
    this.#contents = new Uint32Array(places * wordsPerKey)
    this.#versions = new Float64Array(places)
    this.#offsets = new Float64Array(places)
    this.#partitions = new Uint16Array(places)
    this.#flags = new Uint8Array(places)
    this.#objects = new Uint16Array(places)
    this.#current = new Uint16Array(places)
    this.#generations = new Float64Array(places)
  }

  get size(): number {
    return this.#count
  }

  /** Notes a version that stands in the log, unless a newer one is known; ties go to the later place. */
  note(key: Digest, candidate: Newest): void {
    const place = this.#place(key)
    if (this.#used[place] === 1 && !isNewer(candidate, this.newest(place))) return
    if (this.#used[place] === 0) {
      if (this.#count >= this.#places * maxFill) {
        this.#grow()
        return this.note(key, candidate)
      }
      this.#used[place] = 1
      this.#count += 1
      writeDigest(this.#keys, place, key)
    }
    this.#versions[place] = candidate.version
    this.#offsets[place] = candidate.offset
    this.#partitions[place] = candidate.partition
    this.#flags[place] = candidate.content === undefined ? tombstone : 0
    if (candidate.content !== undefined) writeDigest(this.#contents, place, candidate.content)
  }

  /** The place of a document, good until the next `note`; undefined when it is not in the log. */
  find(key: Digest): number | undefined {
    const place = this.#place(key)
    return this.#used[place] === 1 ? place : undefined
  }

  /** All places in use. */
  *places(): Generator<number> {
    for (let place = 0; place < this.#places; place += 1) if (this.#used[place] === 1) yield place
  }

  key(place: number): Digest {
    return readDigest(this.#keys, place)
  }

  newest(place: number): Newest {
    return {
      version: this.#versions[place] ?? 0,
      partition: this.#partitions[place] ?? 0,
      offset: this.#offsets[place] ?? 0,
      content: this.#flags[place] === tombstone ? undefined : readDigest(this.#contents, place)
    }
  }

  /** Notes one object of the index. */
  addObject(place: number, isCurrent: boolean, generation: number): void {
    const before = this.stored(place)
    this.#objects[place] = before.objects + 1
    if (isCurrent) this.#current[place] = before.current + 1
    // Objects with the newest content decide; others only as long as there is none.
    const restart = isCurrent && before.current === 0
    if (restart || (isCurrent === before.current > 0 && generation > before.generation)) {
      this.#generations[place] = generation
    }
  }

  stored(place: number): Stored {
    return {
      objects: this.#objects[place] ?? 0,
      current: this.#current[place] ?? 0,
      generation: this.#generations[place] ?? 0
    }
  }

  #place(key: Digest): number {
    const a = word(key, 0)
    const b = word(key, 1)
    const c = word(key, 2)
    for (let place = a & (this.#places - 1); ; place = (place + 1) & (this.#places - 1)) {
      if (this.#used[place] === 0) return place
      const at = place * wordsPerKey
      if (this.#keys[at] === a && this.#keys[at + 1] === b && this.#keys[at + 2] === c) return place
    }
  }

  /** Before the index is read only: what stands there is not carried over. */
  #grow(): void {
    const bigger = new NewestTable(this.#places * 2)
    for (const place of this.places()) bigger.note(this.key(place), this.newest(place))
    this.#places = bigger.#places
    this.#used = bigger.#used
    this.#keys = bigger.#keys
    this.#contents = bigger.#contents
    this.#versions = bigger.#versions
    this.#offsets = bigger.#offsets
    this.#partitions = bigger.#partitions
    this.#flags = bigger.#flags
    this.#objects = bigger.#objects
    this.#current = bigger.#current
    this.#generations = bigger.#generations
  }
}

function isNewer(candidate: Newest, known: Newest): boolean {
  if (candidate.version !== known.version) return candidate.version > known.version
  if (candidate.partition !== known.partition) return candidate.partition > known.partition
  return candidate.offset > known.offset
}

function word(digest: string, index: number): number {
  return Number.parseInt(digest.slice(index * hexPerWord, (index + 1) * hexPerWord), 16)
}

function writeDigest(words: Uint32Array, place: number, digest: Digest): void {
  for (let index = 0; index < wordsPerKey; index += 1)
    words[place * wordsPerKey + index] = word(digest, index)
}

function readDigest(words: Uint32Array, place: number): Digest {
  let hex = ''
  for (let index = 0; index < wordsPerKey; index += 1) {
    hex += (words[place * wordsPerKey + index] ?? 0).toString(16).padStart(hexPerWord, '0')
  }
  return hex as Digest
}
