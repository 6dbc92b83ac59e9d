// A thousand documents through jobs that go wrong in every way that the provider's documentation and its users tell of:
// each ends indexed or dead-lettered, none twice, and nothing is paid for that the fault itself did not take.
import { describe, test, vi } from 'vitest'
import type { FaultPlan } from '../../packages/local-openai/src/fault-rules.ts'
import { injectedServers } from '../support/injected-servers.ts'
import { auditJobs } from '../support/job-audit.ts'
import { aText } from '../support/memory-lane.ts'
import { RealLane } from '../support/real-lane.ts'
import { z } from 'zod'

type Rule = FaultPlan['rules'][number]

interface Story {
  readonly name: string
  readonly rules: readonly Rule[]
  /** Documents that are given up, and why; none by default. */
  readonly dead?: { readonly count: number; readonly reason: RegExp }
  /** Payments that the fault itself takes: paid lines that nobody was given. */
  readonly lostLines?: number
}

const servers = injectedServers()
const faultReport = z.object({ rules: z.array(z.looseObject({ kind: z.string(), played: z.number() })) })
/** Numbers of lines that every first job has. */
const someLines = [3, 50, 99]
const firstJobs = { to: 3 } as const

const stories: readonly Story[] = [
  { name: '30 % of the lines expire', rules: [{ kind: 'job_expires', done: 0.7, nth: firstJobs }] },
  {
    name: '30 % of the lines expire and no file names them',
    rules: [{ kind: 'job_expires', done: 0.7, nth: firstJobs, listsRest: false }]
  },
  { name: 'jobs are cancelled half-way', rules: [{ kind: 'job_cancelled', done: 0.5, nth: firstJobs }] },
  {
    name: '5 % of the lines fail',
    rules: [{ kind: 'line_error', status: 500, share: 0.05, jobs: firstJobs }]
  },
  {
    name: 'some lines fail without a status, or in the output file',
    rules: [
      { kind: 'line_error', status: 0, nth: 3, jobs: 1 },
      { kind: 'line_error', status: 429, nth: 50, jobs: 1, file: 'output' },
      { kind: 'line_error', as: 'error', code: 'request_timeout', nth: 99, jobs: 1 }
    ]
  },
  {
    name: 'there is an error file only',
    rules: [{ kind: 'line_error', status: 503, share: 1, jobs: firstJobs }]
  },
  {
    name: 'lines are missing that did not run',
    rules: [{ kind: 'line_missing', paid: false, share: 0.1, jobs: firstJobs }]
  },
  {
    name: 'paid lines are missing',
    rules: [{ kind: 'line_missing', paid: true, nth: someLines, jobs: 1 }],
    lostLines: someLines.length
  },
  {
    name: 'lines stand twice, with the same vector, another one or a failure',
    rules: [
      { kind: 'line_duplicated', as: 'same', share: 0.1 },
      { kind: 'line_duplicated', as: 'error', share: 0.1 }
    ]
  },
  { name: 'neighbours are swapped', rules: [{ kind: 'output_order', order: 'swapped' }] },
  { name: 'the output is in reverse order', rules: [{ kind: 'output_order', order: 'reversed' }] },
  {
    name: 'lines of unknown custom ids come on top',
    rules: [{ kind: 'line_stranger', added: true, share: 0.1 }]
  },
  {
    name: 'paid lines come under unknown custom ids or are no JSON',
    rules: [
      { kind: 'line_stranger', nth: [3, 50], jobs: 1 },
      { kind: 'line_malformed', nth: 99, jobs: 1 }
    ],
    lostLines: 3
  },
  {
    name: 'downloads are cut, with and without an error, and refused',
    rules: [
      { kind: 'cut_body', route: 'files.content', clean: true, nth: 1 },
      { kind: 'cut_body', route: 'files.content', at: 0.9, nth: 2 },
      { kind: 'http_error', route: 'files.content', status: 502, nth: 3 }
    ]
  },
  {
    name: 'three polls in a row are answered 502',
    rules: [
      { kind: 'http_error', route: 'batches.retrieve', status: 502, body: 'html', nth: { from: 2, to: 4 } }
    ]
  },
  {
    name: 'a line fails validation',
    rules: [{ kind: 'invalid_line', nth: 50, jobs: 1, message: 'This line is not acceptable.' }],
    dead: { count: 1, reason: /This line is not acceptable/ }
  },
  { name: 'the queue is full', rules: [{ kind: 'job_fails', nth: { to: 2 } }] },
  {
    name: 'create is answered 429 and 500, and its answer gets lost',
    rules: [
      { kind: 'rate_limited', route: 'batches.create', nth: 1, retryAfter: 1 },
      { kind: 'http_error', route: 'batches.create', status: 500, nth: 2 },
      { kind: 'reset_after_commit', route: 'batches.create', nth: 3 }
    ]
  },
  {
    name: 'answers of uploads get lost, and files are seen late',
    rules: [
      { kind: 'reset_after_commit', route: 'files.create', nth: 1 },
      { kind: 'file_hidden', seconds: 1, nth: 3 }
    ]
  },
  {
    name: 'results hold no usable vector',
    rules: [
      { kind: 'nan', route: 'lines', nth: 3, jobs: 1 },
      { kind: 'wrong_dimensions', route: 'lines', nth: 50, jobs: 1 },
      { kind: 'line_empty', nth: 99, jobs: 1 }
    ],
    dead: { count: 3, reason: /vector|number|finite|dimension|length|empty|body|embedding/i }
  },
  {
    name: 'an ended job shows no files at first',
    rules: [
      {
        kind: 'missing_file_ids',
        as: 'empty',
        route: 'batches.retrieve',
        whileStatus: 'completed',
        times: 2,
        perId: true
      }
    ]
  },
  {
    name: 'jobs have a status that nobody knows, and counts that are wrong',
    rules: [
      { kind: 'wrong_status', shown: 'paused', route: 'batches.retrieve', times: 2, perId: true },
      { kind: 'wrong_counts', route: 'batches.retrieve', completed: 99_999 }
    ]
  }
]

describe.concurrent('a thousand documents through jobs of which', () => {
  test.for(stories)(
    '$name',
    async ({ dead = { count: 0, reason: /./ }, lostLines = 0, rules }, { expect }) => {
      await using lane = await RealLane.open(servers, 0, 'batch')
      await lane.provider.put('/faults', { rules })
      await lane.emit(
        Array.from({ length: 1_000 }, (_, index) => aText(`d${index}`, 1, `text number ${index}`))
      )
      lane.startEmbedder('one', { BATCH_MAX_LINES: '400' })
      await lane.settled()
      await lane.finished()

      // A story in which nothing happened proves nothing. A line that fails validation shows by its dead letter.
      const { rules: told } = faultReport.parse(await lane.provider.get('/faults'))
      expect(told.filter(({ kind, played }) => played === 0 && kind !== 'invalid_line')).toEqual([])
      const reasons = await lane.givenUp()
      expect(Object.keys(reasons), lane.said).toHaveLength(dead.count)
      for (const reason of Object.values(reasons)) expect(reason).toMatch(dead.reason)
      const audit = await lane.audit()
      expect(audit.lost.toSorted()).toEqual(Object.keys(reasons).toSorted())
      expect({ ...audit, lost: [] }).toEqual({
        lost: [],
        duplicates: [],
        stale: [],
        repeatedPayments: lostLines
      })
      expect(await lane.wrong()).toEqual([])
      expect((await auditJobs(lane.provider.client())).repeatedJobs).toEqual([])
      const { counts } = await lane.ledger.survey()
      await vi.waitFor(async () =>
        expect(await lane.provider.get('/bill')).toMatchObject({
          batch: { tokens: counts.paidTokens }
        })
      )
    }
  )
})
