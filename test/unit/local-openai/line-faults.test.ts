import { isUtf8 } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { idsOf, parseLines, runJobUnderFaults } from '../../support/job-under-faults.ts'
import type { FaultRuleInput } from '../../support/job-under-faults.ts'
import { batchLine, batchLines, createBatch, waitForBatch } from '../../support/local-openai-batch.ts'
import { openLocalOpenai } from '../../support/local-openai-under-test.ts'

const planned = Array.from({ length: 20 }, (_, index) => `line-${index}`)

function without(...ids: readonly string[]): string[] {
  return planned.filter(id => !ids.includes(id)).toSorted()
}

interface Item {
  readonly embedding: string | readonly (number | null)[]
}

interface Answer {
  readonly data: readonly Item[]
}

function vectorOf(file: Buffer, customId: string): readonly (number | null)[] {
  const line = parseLines(file).find(one => one.custom_id === customId)
  const answer: Answer = Object(line?.response?.body)
  const [item] = answer.data
  if (!item) throw new Error(`no vector in the line of ${customId}`)
  if (typeof item.embedding !== 'string') return item.embedding
  const bytes = Buffer.from(item.embedding, 'base64')
  return [...new Float32Array(new Uint8Array(bytes).buffer)]
}

describe('a line that a fault has met', () => {
  test('fails with a status of the endpoint, is counted as failed and costs nothing', async () => {
    const { errors, job, output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_error', status: 400, nth: 1 },
      { kind: 'line_error', status: 429, nth: 2 },
      { kind: 'line_error', nth: 3 },
      { kind: 'line_error', status: 0, nth: 4 }
    ])
    expect(idsOf(output).toSorted()).toEqual(without('line-0', 'line-1', 'line-2', 'line-3'))
    const found = new Map(parseLines(errors).map(line => [line.custom_id, line.response]))
    expect(found.get('line-0')).toMatchObject({
      status_code: 400,
      body: { error: { type: 'invalid_request_error' } }
    })
    expect(found.get('line-1')).toMatchObject({
      status_code: 429,
      body: { error: { code: 'rate_limit_exceeded' } }
    })
    expect(found.get('line-2')).toMatchObject({ status_code: 500, body: { error: { type: 'server_error' } } })
    expect(found.get('line-3')).toMatchObject({ status_code: 0 })
    expect(job.request_counts).toEqual({ total: 20, completed: 16, failed: 4 })
    expect(paidInputs).toBe(16)
  })

  test('fails without an answer, in the output file, or paid, as told', async () => {
    const { errors, output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_error', as: 'error', nth: 1 },
      { kind: 'line_error', file: 'output', nth: 2 },
      { kind: 'line_error', paid: true, code: 'broken', message: 'no', nth: 3 }
    ])
    const failures = new Map(parseLines(errors).map(line => [line.custom_id, line]))
    expect(failures.get('line-0')).toMatchObject({ response: null, error: { code: 'request_timeout' } })
    expect(failures.get('line-2')).toMatchObject({
      response: { body: { error: { code: 'broken', message: 'no' } } }
    })
    expect(failures.size).toBe(2)
    expect(parseLines(output).find(line => line.custom_id === 'line-1')?.response?.status_code).toBe(500)
    expect(paidInputs).toBe(18)
  })

  test('is in neither file, paid or not', async () => {
    const { errors, job, output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_missing', nth: [1, 2] },
      { kind: 'line_missing', paid: false, nth: 3 }
    ])
    expect(idsOf(output).toSorted()).toEqual(without('line-0', 'line-1', 'line-2'))
    expect(errors).toHaveLength(0)
    expect(job.request_counts).toEqual({ total: 20, completed: 20, failed: 0 })
    expect(paidInputs).toBe(19)
    expect(job.usage?.total_tokens).toBe(19 * 4)
  })

  test('stands there twice: the same, with another vector, or once as a failure; it is paid once', async () => {
    const { errors, output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_duplicated', nth: 1 },
      { kind: 'line_duplicated', as: 'vector', nth: 2 },
      { kind: 'line_duplicated', as: 'error', nth: 3 }
    ])
    expect(idsOf(output).toSorted()).toEqual([...planned, 'line-0', 'line-1'].toSorted())
    expect(idsOf(errors)).toEqual(['line-2'])
    const bodies = (id: string): string[] =>
      parseLines(output)
        .filter(line => line.custom_id === id)
        .map(line => JSON.stringify(line.response?.body))
    expect(new Set(bodies('line-0')).size).toBe(1)
    expect(new Set(bodies('line-1')).size).toBe(2)
    expect(paidInputs).toBe(20)
  })

  test('carries the vector of another one, and the other way round', async () => {
    const right = await runJobUnderFaults([])
    const { output } = await runJobUnderFaults([{ kind: 'line_swapped', nth: [3, 9] }])
    expect(idsOf(output).toSorted()).toEqual(planned.toSorted())
    expect(vectorOf(output, 'line-2')).toEqual(vectorOf(right.output, 'line-8'))
    expect(vectorOf(output, 'line-8')).toEqual(vectorOf(right.output, 'line-2'))
    expect(vectorOf(output, 'line-0')).toEqual(vectorOf(right.output, 'line-0'))
  })

  test('is swapped with nobody when it is alone', async () => {
    const { output, played } = await runJobUnderFaults([{ kind: 'line_swapped', nth: 3 }])
    expect(idsOf(output).toSorted()).toEqual(planned.toSorted())
    expect(played).toEqual([0])
  })

  test('has an unknown custom_id, or is followed by one that has', async () => {
    const { output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_stranger', nth: 1 },
      { kind: 'line_stranger', added: true, nth: 2 }
    ])
    expect(idsOf(output).toSorted()).toEqual(
      [...without('line-0'), 'stranger-line-0', 'stranger-line-1'].toSorted()
    )
    expect(paidInputs).toBe(20)
  })

  test('is not JSON, or blank, and its neighbours are whole', async () => {
    const { output, paidInputs } = await runJobUnderFaults([
      { kind: 'line_malformed', nth: 1 },
      { kind: 'line_malformed', as: 'blank', nth: 2 }
    ])
    expect(idsOf(output).toSorted()).toEqual(without('line-0', 'line-1'))
    // One of them is behind the last line feed.
    expect(
      output
        .toString()
        .split('\n')
        .filter(line => line === '')
    ).toHaveLength(2)
    expect(paidInputs).toBe(20)
  })

  test('is not UTF-8, and its neighbours are', async () => {
    const { output } = await runJobUnderFaults([{ kind: 'line_malformed', as: 'utf8', nth: 1 }])
    expect(isUtf8(output)).toBe(false)
    expect(idsOf(output).toSorted()).not.toContain('line-0')
    expect(idsOf(output)).toHaveLength(20)
  })

  test('says 200 and holds nothing', async () => {
    const { output } = await runJobUnderFaults([
      { kind: 'line_empty', nth: 1 },
      { kind: 'line_empty', body: 'object', nth: 2 },
      { kind: 'line_empty', body: 'string', nth: 3 },
      { kind: 'line_empty', body: 'absent', nth: 4 }
    ])
    const found = new Map(parseLines(output).map(line => [line.custom_id, line.response]))
    expect(['line-0', 'line-1', 'line-2', 'line-3'].map(id => found.get(id)?.status_code)).toEqual([
      200, 200, 200, 200
    ])
    expect(['line-0', 'line-1', 'line-2', 'line-3'].map(id => found.get(id)?.body)).toEqual([
      null,
      {},
      '',
      undefined
    ])
  })

  test('holds a wrong vector: of another length, not a number, zero, or numbers despite base64', async () => {
    const { output, paidInputs } = await runJobUnderFaults([
      { kind: 'wrong_dimensions', route: 'lines', nth: 1 },
      { kind: 'nan', route: 'lines', nth: 2 },
      { kind: 'zero_vector', route: 'lines', nth: 3 },
      { kind: 'floats_despite_base64', route: 'lines', nth: 4 },
      { kind: 'wrong_count', by: 1, route: 'lines', nth: 5 },
      { kind: 'truncated_json', route: 'lines', nth: 6 },
      { kind: 'base64_misaligned', route: 'lines', nth: 7 }
    ])
    expect(vectorOf(output, 'line-0')).toHaveLength(1535)
    expect(vectorOf(output, 'line-1')[0]).toBeNaN()
    expect(vectorOf(output, 'line-2').every(component => component === 0)).toBe(true)
    const bodyOf = (id: string): Answer =>
      Object(parseLines(output).find(line => line.custom_id === id)?.response?.body)
    expect(bodyOf('line-3').data[0]?.embedding).toHaveLength(1536)
    expect(bodyOf('line-4').data).toHaveLength(2)
    expect(idsOf(output)).not.toContain('line-5')
    expect(Buffer.from(String(bodyOf('line-6').data[0]?.embedding), 'base64').length % 4).toBe(3)
    expect(paidInputs).toBe(20)
  })
})

test('when all lines fail there is an error file only, and nothing is paid', async () => {
  const { errors, job, paidInputs, played } = await runJobUnderFaults([{ kind: 'line_error' }])
  expect(job).toMatchObject({
    output_file_id: null,
    request_counts: { total: 20, completed: 0, failed: 20 }
  })
  expect(idsOf(errors)).toHaveLength(20)
  expect(paidInputs).toBe(0)
  expect(played).toEqual([20])
})

test.each([
  ['invalid_json_line', null],
  ['missing_required_parameter', 'custom_id'],
  ['invalid_url', 'url'],
  ['model_not_found', 'body.model'],
  ['invalid_request', 'body.model'],
  ['streaming_unsupported', 'body.stream'],
  ['duplicate_custom_id', 'custom_id'],
  ['mismatched_model', 'body.model']
])('one line that is %s keeps the job from running, unpaid', async (code, param) => {
  const { job, paidInputs } = await runJobUnderFaults([{ kind: 'invalid_line', code, customId: 'line-4' }], {
    ends: 'failed'
  })
  expect(job.errors?.data).toMatchObject([{ code, line: 5, param, message: expect.stringMatching(/.{10}/) }])
  expect(job.output_file_id).toBeNull()
  expect(paidInputs).toBe(0)
})

test('lines are met by number, custom_id, text or share, and the first rule decides', async () => {
  const { errors, played } = await runJobUnderFaults([
    { kind: 'line_error', nth: { from: 19 }, code: 'number' },
    { kind: 'line_error', customId: ['line-2', 'line-19'], code: 'id' },
    { kind: 'line_error', containing: 'number 1', code: 'text' }
  ])
  expect(played).toEqual([2, 1, 9])
  const codes = parseLines(errors).map(({ custom_id: id, response }) => [
    id,
    Object(response?.body).error.code
  ])
  expect(Object.fromEntries(codes)).toMatchObject({
    'line-18': 'number',
    'line-2': 'id',
    'line-10': 'text',
    'line-1': 'text'
  })
})

test('a share of the lines is drawn with the seed: again the same ones, with another seed others', async () => {
  const rules: FaultRuleInput[] = [{ kind: 'line_missing', share: 0.3 }]
  const run = async (seed: number): Promise<string[]> => {
    const { output, played } = await runJobUnderFaults(rules, { lines: 200, seed })
    expect(idsOf(output)).toHaveLength(200 - played[0]!)
    return idsOf(output)
  }
  const first = await run(1)
  expect(first.length).toBeGreaterThan(110)
  expect(first.length).toBeLessThan(170)
  expect(await run(1)).toEqual(first)
  expect((await run(2)).toSorted()).not.toEqual(first.toSorted())
})

test('only the lines of some jobs are met, and each job draws anew', async () => {
  const rules: FaultRuleInput[] = [
    { kind: 'line_error', jobs: { to: 2 }, share: 0.5 },
    { kind: 'line_error', jobs: 2, nth: 1, status: 400 }
  ]
  await using server = await openLocalOpenai({ faults: { rules } })
  const client = server.client()
  const failed: string[][] = []
  for (let job = 0; job < 3; job++) {
    const { id } = await createBatch(client, batchLines(40))
    const { error_file_id: file } = await waitForBatch(client, id, 'completed')
    failed.push(file ? idsOf(Buffer.from(await (await client.files.content(file)).arrayBuffer())) : [])
  }
  expect(failed[0]!.length).toBeGreaterThan(5)
  expect(failed[1]!.toSorted()).not.toEqual(failed[0]!.toSorted())
  expect(failed[1]).toContain('line-0')
  expect(failed[2]).toEqual([])
})

test('a line that the endpoint refuses by itself meets no fault', async () => {
  await using server = await openLocalOpenai({ faults: { rules: [{ kind: 'line_missing' }] } })
  const client = server.client()
  const empty = batchLine(1, { body: { model: 'text-embedding-3-small', input: '' } })
  const { id } = await createBatch(client, `${batchLine(0)}\n${empty}\n`)
  const job = await waitForBatch(client, id, 'completed')
  expect(job).toMatchObject({ output_file_id: null, request_counts: { completed: 1, failed: 1 } })
  expect(await server.get('/faults')).toMatchObject({ rules: [{ played: 1 }] })
})
