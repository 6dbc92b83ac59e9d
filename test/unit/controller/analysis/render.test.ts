import type { ObligationId } from '@pointsman/core/domain/identity'
import { describe, expect, test } from 'vitest'
import { renderAnalysis } from '../../../../services/controller/src/cli/render-analysis.ts'
import { painter } from '../../../../services/controller/src/cli/terminal.ts'
import { analyse } from '../../../../services/controller/src/switching/analysis/analyse.ts'
import { factsOf, hourMs, manifest, nowMs, running, type Scene } from '../../../support/analysis-facts.ts'
import { cli, startController } from '../../../support/controller-cli.ts'
import { MemoryJobs } from '../../../support/memory-jobs.ts'
import { obligationOf } from '../../../support/survey.ts'

const rendered = (scene: Scene, isColoured = false) =>
  renderAnalysis(analyse(factsOf(scene)), { paint: painter(isColoured) })

describe('an analysis as text', () => {
  test('has the lanes, the stages, the jobs, each strategy, the warnings and the advice', () => {
    const out = rendered({
      lanes: ['batch', 'batch', 'realtime', 'batch', 'batch'],
      unread: 1000,
      counts: { admitted: 100, necessaryTokens: 10_000 },
      tookMs: [3 * hourMs],
      wish: { strategy: 'force' },
      obligations: [
        manifest('1.1.2', 'open'),
        running('1.1.4', 1000, 250),
        obligationOf(1, 7, { id: 'r' as ObligationId, state: 'paying' })
      ]
    })
    expect(out).toMatch(/^A switch to realtime would do this {2}epoch 1, /)
    expect(out).toMatch(/\nnow +1 partitions realtime, 4 batch\n/)
    expect(out).toMatch(/\nmoving +4 \(0-1, 3-4\); 1 stay\n/)
    expect(out).toMatch(/\nbacklog +4,000 documents unread in them, about 400,000 tokens \(100 each\)\n/)
    expect(out).toMatch(/\n +batch \$0\.4000 in .*, realtime \$0\.8000 in .*: \$0\.4000 more\n/)
    expect(out).toMatch(/\nstandby +realtime ready, 1 embedder alive\n/)
    expect(out).toMatch(/\npast jobs +the last 1 took 3 h 0 min \(median\)/)
    expect(out).toMatch(/where +number +documents +tokens\n *unread +– +5,000 +–\n/)
    expect(out).toMatch(/in jobs at the provider +1 +1,000 +10,000\n/)
    expect(out).toMatch(
      /1\.1\.4 +submitted +250 +1,000 +1,000 +10,000 +1 h 0 min +in 2 h 0 min +in 25 h 0 min\n/
    )
    expect(out).toMatch(/\n {2}detach\n +cut +in about 1 s \(under a second\)\n/)
    expect(out).toMatch(/ goes on +1 request, 1 job: 1,007 documents, for about 2 h 0 min\n/)
    expect(out).toMatch(/ releases +1 job not sent: 10 documents, 10 of them to realtime\n/)
    expect(out).toMatch(
      /\n {2}drain\n +cut +in about 2 h 0 min, 25 h 0 min at the latest .*would be aborted\n/
    )
    expect(out).toMatch(/\n\* force\n/)
    expect(out).toMatch(
      / cancels +1 job: 250 lines done are kept, at most 750 are paid for in realtime \(\$0\.0150\)\n/
    )
    expect(out).toMatch(/ of these at most 750 \(\$0\.0075\) may be charged twice: /)
    expect(out).toMatch(/\nDRAIN_TOO_LONG {2}.*\n {2}take detach/)
    expect(out).toMatch(/\nRecommended: detach: 1 job with /)
    expect(out).not.toContain('\u001B')
  })

  test('of an empty pipeline is short, and of what is so already says so', () => {
    expect(rendered({})).toContain('Nothing is unread or in flight.')
    const same = rendered({ lanes: ['realtime'], obligations: [running('job', 10, 0)] })
    expect(same).toContain('A switch to realtime changes nothing')
    expect(same).toContain('\n  drain  changes nothing\n')
    expect(same).toContain('Recommended: none: there is nothing to do')
  })

  test('tells a reason once: with the strategy, or in the warning', () => {
    const out = rendered({ wish: { share: 0.5 }, notReady: 'realtime' })
    expect(out).toMatch(/\* detach {2}STANDBY_NOT_READY\n/)
    expect(out).toMatch(/force {2}FORCE_NEEDS_ALL {2}force cancels all jobs/)
    expect(out).toContain('\nSTANDBY_NOT_READY  the realtime lane is not ready')
    expect(out).toContain('with 50.0 % of the partitions')
  })

  test('says what is not known as such', () => {
    const out = rendered({ unread: 1, obligations: [running('job', 10, 0)] })
    expect(out).toMatch(/\n +cost +not known\n/)
    expect(out).toMatch(/ cut +not known when, 25 h 0 min at the latest/)
    expect(out).toMatch(/ goes on .*, not known how long\n/)
  })

  test('paints on a terminal alone, and nothing of others commands it', () => {
    const hostile = obligationOf(0, 1, {
      kind: 'orphan',
      owner: undefined,
      reason: 'its \u001B[2Jline\u202E failed',
      sinceMs: nowMs
    })
    const scene = { obligations: [hostile], pausedBecause: '\u001B]0;title\u0007' }
    expect(rendered(scene)).toContain('(the oldest: its [2Jline failed)')
    // oxlint-disable-next-line no-control-regex
    expect(rendered(scene)).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u202E]/)
    expect(rendered(scene, true)).toContain('\u001B[')
  })
})

describe('pointsman analyze', () => {
  test('asks the controller, and prints text or the report', async () => {
    const { url, world } = await startController()
    const jobs = await MemoryJobs.open(world)
    const id = await jobs.begin(2, 'submitted', { lines: 2, tokens: 20, submittedMs: world.clock.now })

    const text = await cli(['analyze', 'batch', '--share', '50%', '--deadline', '2h'], { url })
    expect(text).toMatchObject({ exitCode: 0, err: '' })
    expect(text.out).toContain('A switch to batch with 50.0 % of the partitions would do this')
    expect(text.out).toContain(id)

    const json = await cli(
      ['analyze', 'batch', '--json', '--strategy', 'force', '--share', '0.5', '--deadline', '90s'],
      { url }
    )
    expect(JSON.parse(json.out)).toMatchObject({ strategy: 'force', share: 0.5, deadlineMs: 90_000 })
    expect(json.out.trim().split('\n')).toHaveLength(1)
  })

  test.each([
    [['analyze']],
    [['analyze', 'sideways']],
    [['analyze', 'batch', '--share', '0']],
    [['analyze', 'batch', '--share', '101%']],
    [['analyze', 'batch', '--strategy', 'jump']],
    [['analyze', 'batch', '--deadline', 'soon']]
  ])('%j is wrong usage', async args => {
    expect((await cli(args)).exitCode).toBe(2)
  })
})
