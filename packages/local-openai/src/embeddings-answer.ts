import type { EmbeddingsRequest } from './embeddings-request.ts'
import type { Vectors } from './vector-source.ts'

/**
 * The JSON body of a good answer, as bytes. Base64 is written straight behind the frame of its
 * item: a detour over JavaScript objects would cost several times as much.
 */
export function composeAnswer(request: EmbeddingsRequest, vectors: Vectors): Buffer {
  const { dimensions, inputs, model, tokens } = request
  const head = '{"object":"list","data":['
  const tail = `],"model":"${model.id}","usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`
  if (request.encoding === 'float') {
    const items = inputs.map(
      (_, index) => `${frame(index)}${JSON.stringify(Array.from(vectors.row(index)))}}`
    )
    return Buffer.from(head + items.join('') + tail)
  }

  const maxItemBytes = 4 * Math.ceil((dimensions * 4) / 3) + 64
  const answer = Buffer.allocUnsafe(head.length + inputs.length * maxItemBytes + tail.length)
  let end = answer.write(head, 0, 'latin1')
  for (let index = 0; index < inputs.length; index++) {
    end += answer.write(`${frame(index)}"`, end, 'latin1')
    end += vectors.writeBase64(index, answer, end)
    end += answer.write('"}', end, 'latin1')
  }
  end += answer.write(tail, end, 'latin1')
  return answer.subarray(0, end)
}

function frame(index: number): string {
  return `${index > 0 ? ',' : ''}{"object":"embedding","index":${index},"embedding":`
}
