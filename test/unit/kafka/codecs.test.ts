import kafkajs from 'kafkajs'
import { compress } from 'snappy'
import { beforeAll, expect, test } from 'vitest'
import { registerCodecs } from '@pointsman/core/adapters/kafka/codecs'
import { decodeSnappy } from '@pointsman/core/adapters/kafka/snappy-stream'

const { CompressionCodecs, CompressionTypes } = kafkajs
const text = Buffer.from('a switch is thrown while trains are running. '.repeat(500))

beforeAll(() => registerCodecs())

test.each([
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD]
] as const)('%s inflates what it deflates', async (_, type) => {
  const codec = CompressionCodecs[type as typeof CompressionTypes.GZIP]()
  const small = await codec.compress({ buffer: text })
  expect(small.length).toBeLessThan(text.length / 4)
  expect(Buffer.from(await codec.decompress(small)).equals(text)).toBe(true)
})

test('snappy as Java clients frame it is inflated, block by block', async () => {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const blocks = await Promise.all([text, Buffer.from('end')].map(block => compress(block)))
  const framed = blocks.flatMap(block => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    return [length, block]
  })
  expect((await decodeSnappy(Buffer.concat([header, ...framed]))).toString()).toBe(`${text.toString()}end`)
})
