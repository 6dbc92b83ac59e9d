import { ByteBuffer } from './byte-buffer.ts'
import type { EmbeddingsRequest } from './embeddings-request.ts'
import type { Vectors } from './vector-source.ts'

/** The JSON body of a good answer. */
export function composeAnswer(request: EmbeddingsRequest, vectors: Vectors): Buffer {
  const answer = new ByteBuffer(request.inputs.length * (base64Bytes(request.dimensions) + 64) + 256)
  writeAnswer(request, vectors, answer)
  return answer.bytes
}

/**
 * Writes the JSON body of a good answer. Base64 is written straight behind the frame of its item: a detour
 * over JavaScript objects would cost several times as much.
 */
export function writeAnswer(request: EmbeddingsRequest, vectors: Vectors, target: ByteBuffer): void {
  const { dimensions, inputs, model, tokens } = request
  target.writeLatin1('{"object":"list","data":[')
  for (let index = 0; index < inputs.length; index++) {
    target.writeLatin1(`${index > 0 ? ',' : ''}{"object":"embedding","index":${index},"embedding":`)
    if (request.encoding === 'float') {
      target.writeLatin1(JSON.stringify(Array.from(vectors.row(index))))
    } else {
      target.writeLatin1('"')
      target.fill(base64Bytes(dimensions), (bytes, offset) => vectors.writeBase64(index, bytes, offset))
      target.writeLatin1('"')
    }
    target.writeLatin1('}')
  }
  target.writeLatin1(`],"model":"${model.id}","usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`)
}

function base64Bytes(dimensions: number): number {
  return 4 * Math.ceil((dimensions * 4) / 3)
}
