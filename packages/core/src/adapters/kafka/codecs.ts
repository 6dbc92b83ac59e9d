// Every compression a foreign producer may choose. KafkaJS knows gzip alone, and one batch in another codec would kill
// the consumer.
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as snappyCompress } from 'snappy'
import { decodeSnappy } from './snappy-stream.ts'

// Node finds only some of the names of this CommonJS module.
const { CompressionCodecs, CompressionTypes } = kafkajs

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

const zstd: Codec = {
  compress: encoder => promisify(zstdCompress)(encoder.buffer),
  decompress: buffer => promisify(zstdDecompress)(buffer)
}

const lz4: Codec = {
  compress: encoder => compressFrame(encoder.buffer),
  decompress: buffer => decompressFrame(buffer)
}

const snappy: Codec = {
  compress: encoder => snappyCompress(encoder.buffer),
  decompress: decodeSnappy
}

/** Idempotent: KafkaJS has one table for all its clients. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd
}
