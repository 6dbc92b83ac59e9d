// Rules of the controller: a switch happens once or not at all, and a rebuild forgets nothing that was paid for.
import type { Mutant } from './mutant.ts'

const switching = 'services/controller/src/switching'
const rebuild = 'services/controller/src/rebuild'
const memory = 'packages/core/src/adapters/memory'

export const controllerMutants: readonly Mutant[] = [
  {
    name: 'outcomefirst',
    rule: 'a switch is recorded as completed after it was made',
    edits: [
      {
        file: `${switching}/carry-out.ts`,
        text: 'const cut = await ledger.switchLanes({',
        replacement: `await end(recorded, { result: 'completed', because: '', actor: self }, deps, signal)
  const cut = await ledger.switchLanes({`
      }
    ]
  },
  {
    name: 'lastoutcome',
    rule: 'of several outcomes of a switch the first counts',
    edits: [
      {
        file: `${switching}/control-book.ts`,
        text: '} else if (known !== undefined && known.outcome === undefined) {',
        replacement: '} else if (known !== undefined) {'
      }
    ]
  },
  {
    name: 'anyexpected',
    rule: 'a switch that is carried on later is meant for the epoch of its intent',
    edits: [
      {
        file: `${switching}/carry-out.ts`,
        text: `const cut = await ledger.switchLanes({
    expectedEpoch: intent.expectedEpoch,`,
        replacement: `const cut = await ledger.switchLanes({
    expectedEpoch: (await ledger.state()).epoch,`
      }
    ]
  },
  {
    name: 'nodeadline',
    rule: 'a switch that cannot cut ends at its deadline',
    edits: [
      {
        file: `${switching}/carry-out.ts`,
        text: 'if (clock.nowMs() > intent.atMs + intent.deadlineMs) {',
        replacement: 'if (false) {'
      }
    ]
  },
  {
    name: 'hastydrain',
    rule: 'a switch that drains waits until nothing is left in the old lane',
    edits: [
      {
        file: `${switching}/carry-out.ts`,
        text: 'if (left.requests + left.jobs > 0) return',
        replacement: ''
      }
    ]
  },
  {
    name: 'norebuildfence',
    rule: 'a rebuild first deletes the input files that no job uses',
    edits: [
      {
        file: `${rebuild}/find-jobs.ts`,
        text: 'await provider.deleteFile(fileId, signal)',
        replacement: ''
      }
    ]
  },
  {
    name: 'noadopt',
    rule: "a rebuild adopts the provider's jobs",
    edits: [
      {
        file: `${rebuild}/adopt-jobs.ts`,
        text: 'of jobs.entries()',
        replacement: 'of jobs.slice(0, 0).entries()'
      }
    ]
  },
  {
    name: 'noscan',
    rule: 'a rebuild notes the newest versions ahead of W',
    edits: [
      {
        file: `${rebuild}/rebuild.ts`,
        text: 'if (!(await expectNewest(parts, ahead.newest))) return false',
        replacement: ''
      }
    ]
  },
  {
    name: 'adoptany',
    rule: 'of several jobs with one text, the one whose output has it comes first',
    edits: [
      {
        file: `${rebuild}/find-jobs.ts`,
        text: '[...usable.filter(isEnded), ...usable.filter(job => !isEnded(job))]',
        replacement: '[...usable.filter(job => !isEnded(job)), ...usable.filter(isEnded)]'
      }
    ]
  },
  {
    name: 'skipahead',
    rule: 'after a rebuild admission goes on at the committed W',
    edits: [
      {
        file: `${rebuild}/rebuild.ts`,
        text: 'const frontier = watermarks.get(partition) ?? start',
        replacement: 'const frontier = bounds.get(partition)?.end ?? start'
      }
    ]
  },
  {
    name: 'oldlife',
    rule: 'a rebuilt ledger has an epoch above all before',
    edits: [{ file: `${rebuild}/rebuild.ts`, text: 'epoch: life.epoch', replacement: 'epoch: state.epoch' }]
  },
  {
    name: 'forgetlanes',
    rule: 'a rebuilt ledger has the lanes of the last switch',
    edits: [
      {
        file: `${rebuild}/rebuild.ts`,
        text: 'lane: lanes.get(partition) ?? defaultLane',
        replacement: 'lane: state.defaultLane'
      }
    ]
  },
  {
    name: 'anyobject',
    rule: 'of several objects of a document a rebuild knows the one of the highest generation',
    edits: [
      {
        file: `${memory}/ledger-rebuild.ts`,
        text: 'latest.generation >= generation ||',
        replacement: ''
      }
    ]
  },
  {
    name: 'nosweep',
    rule: 'the sweeper removes what a writer left behind that woke up late and died',
    edits: [
      {
        file: 'services/controller/src/sweeper/sweep-page.ts',
        text: 'if (ids.length > 0) await store.remove(ids, signal)',
        replacement: ''
      }
    ]
  }
]
