// What has to happen in some of many runs: a simulation in which it never did would show nothing about it.

const expected: readonly string[] = [
  // Faults
  'crash',
  'pause',
  'a paused process was expelled from its group',
  'trouble: late',
  'trouble: lose-answer',
  'trouble: lose-request',
  'trouble: refuse',
  'trouble: slow',
  'trouble: twice',
  'ledger lost',
  'ledger rolled back',
  'a roll-back was found by the count of transitions',
  ...['fetch', 'claim', 'pay', 'response', 'upsert', 'mark', 'commit'].map(step => `killed at rt.${step}`),
  ...['fetch', 'claim', 'adopt', 'seal', 'file', 'upload', 'fileid', 'create', 'batchid', 'download'].map(
    step => `killed at ba.${step}`
  ),
  ...['parse', 'upsert', 'mark', 'commit', 'archive'].map(step => `killed at ba.${step}`),
  ...['intent', 'drain', 'fence', 'finish', 'life', 'files', 'index', 'log', 'jobs', 'rebuilt'].map(
    step => `killed at ctl.${step}`
  ),
  // Zombies and races
  'admission: behind',
  'admission: draining',
  'admission: fenced',
  'admission: paused',
  'settle indexed: gone',
  'settle indexed: superseded',
  'settle skipped: settled',
  'took over: manifest',
  'took over: orphan',
  'took over: request',
  'the sweeper removed an object',
  // Jobs
  'a cancelled job had done some lines',
  'a job ended: cancelled',
  'a job ended: completed',
  'a job ended: expired',
  'a job ended: failed',
  'a job was found by its name',
  'dead letter',
  // Switches
  'abort: aborted',
  'rollback: completed',
  'refused: SWITCH_UNDER_WAY',
  'switch detach: completed',
  'switch drain: completed',
  'switch drain: draining',
  'switch force: completed',
  // Rebuilds
  'a rebuild adopted a job for documents',
  'a rebuild ended',
  // Documents
  ...['copy', 'covered', 'delete', 'elsewhere', 'embed', 'share', 'superseded', 'unchanged'].map(
    verdict => `verdict: ${verdict}`
  )
]

/** Races so narrow that one seed in one to two thousand has them. */
const rare: readonly string[] = ['a payment was refused: not the owner', 'a cancel came too late']
const seedsForRare = 10_000

/** @returns what did not happen, though there were seeds enough for it. */
export function missingEvents(happened: ReadonlyMap<string, number>, seeds: number): readonly string[] {
  const wanted = seeds < seedsForRare ? expected : [...expected, ...rare]
  return wanted.filter(what => (happened.get(what) ?? 0) === 0)
}
