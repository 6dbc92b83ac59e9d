import type { EmbeddingsRequest } from './embeddings-request.ts'

/**
 * The JSON body of a good answer, as bytes. Base64 is copied straight behind the frame of its
 * item: a detour over JavaScript objects would cost several times as much.
 * @param rows - one unit vector per input, one after the other.
 */
export function composeAnswer(request: EmbeddingsRequest, rows: Float32Array): Buffer {
  const { dimensions, inputs } = request
  const head = '{"object":"list","data":['
  const tail = `],"model":"${request.model.id}","usage":{"prompt_tokens":${request.tokens},"total_tokens":${request.tokens}}}`
  if (request.encoding === 'float') return Buffer.from(head + floatItems(rows, dimensions) + tail)

  const bytes = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
  const rowBytes = dimensions * 4
  const maxItemBytes = Math.ceil(rowBytes / 3) * 4 + 64
  const answer = Buffer.allocUnsafe(head.length + inputs.length * maxItemBytes + tail.length)
  let end = answer.write(head, 0, 'latin1')
  for (let index = 0; index < inputs.length; index++) {
    const frame = `${index > 0 ? ',' : ''}{"object":"embedding","index":${index},"embedding":"`
    end += answer.write(frame, end, 'latin1')
    end += answer.write(bytes.toString('base64', index * rowBytes, (index + 1) * rowBytes), end, 'latin1')
    end += answer.write('"}', end, 'latin1')
  }
  end += answer.write(tail, end, 'latin1')
  return answer.subarray(0, end)
}

function floatItems(rows: Float32Array, dimensions: number): string {
  const items: string[] = []
  for (let start = 0; start < rows.length; start += dimensions) {
    const vector = Array.from(rows.subarray(start, start + dimensions))
    items.push(`{"object":"embedding","index":${items.length},"embedding":${JSON.stringify(vector)}}`)
  }
  return items.join(',')
}
