import type { Vectors } from './vector-source.ts'

/** Vectors that are there as numbers. */
export class FloatVectors implements Vectors {
  readonly #rows: readonly Float32Array[]

  constructor(rows: readonly Float32Array[]) {
    this.#rows = rows
  }

  row(index: number): Float32Array {
    const row = this.#rows[index]
    if (!row) throw new RangeError(`no vector ${index}`)
    return row.slice()
  }

  writeBase64(index: number, target: Buffer, offset: number): number {
    const { buffer, byteOffset, byteLength } = this.row(index)
    return target.write(Buffer.from(buffer, byteOffset, byteLength).toString('base64'), offset, 'latin1')
  }
}
