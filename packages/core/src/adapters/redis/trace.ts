// Test only: a ledger of which every transition is written down, see lua/trace-before.lua. `tools/trace` collects what is
// written, and gives it to the specification.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ledger } from '../../ports/ledger.ts'
import { readUInt56 } from './records.ts'
import type { Script, ScriptArgument } from './script.ts'
import { loadScript } from './script.ts'
import type { TracedCall } from './trace-call.ts'
import { writeTraced } from './trace-call.ts'

type Reading =
  | 'state'
  | 'pastJobs'
  | 'adoptable'
  | 'superseded'
  | 'survey'
  | 'latest'
  | 'processed'
  | 'parts'
  | 'watch'

/** What changes the ledger, and W, which is committed; with the last file of its script. */
const tracedScripts = {
  open: 'state',
  openPartition: 'open-partition',
  register: 'register',
  renew: 'renew',
  noteMember: 'note-member',
  release: 'release',
  admit: 'admit',
  attempt: 'attempt',
  settle: 'settle',
  move: 'move',
  advance: 'advance',
  order: 'order',
  takeover: 'takeover',
  watermarks: 'watermarks',
  pause: 'pause',
  resume: 'resume',
  drain: 'drain',
  abortSwitch: 'abort',
  switchLanes: 'switch',
  correct: 'correct',
  distrust: 'distrust',
  noteRebuild: 'note-rebuild',
  restore: 'restore',
  expect: 'expect',
  adoptJob: 'adopt-job',
  promiseVectors: 'promise-vectors',
  endRebuild: 'end-rebuild'
} as const satisfies Record<Exclude<keyof Ledger, Reading>, string>

export type TracedMethod = keyof typeof tracedScripts

export function isTraced(name: PropertyKey): name is TracedMethod {
  return Object.hasOwn(tracedScripts, name)
}

/**
 * @param open - makes the ledger, whose scripts have to run through the function that is given.
 * @param by - who calls, as the trace is to say.
 */
export function traceLedger(open: (through: (script: Script) => Script) => Ledger, by: string): Ledger {
  const current = new AsyncLocalStorage<TracedCall>()
  const known = new Map<Script, Script>()
  const through = (script: Script): Script => {
    const call = current.getStore()
    if (call === undefined || !isTraced(call.method)) return script
    const last = script.names.at(-1)
    // Others read on behalf of the call, or note what concerns the server alone.
    if (last !== tracedScripts[call.method] && last !== tracedScripts.distrust) return script
    const traced = known.get(script) ?? loadScript('trace-before', ...script.names, 'trace-after')
    known.set(script, traced)
    return {
      names: traced.names,
      run: (redis, prefix, args) =>
        traced.run(redis, prefix, [...args, writeTraced(asRun(call, script.names, args))])
    }
  }
  return new Proxy(open(through), {
    get(ledger, name) {
      const member: unknown = Reflect.get(ledger, name)
      if (typeof member !== 'function') return member
      return (...args: readonly unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(member, ledger, args)
        return isTraced(name) ? current.run({ method: name, args, by }, call) : call()
      }
    }
  })
}

/** The call that this script was told, which may be another than its caller's. */
function asRun(call: TracedCall, names: readonly string[], told: readonly ScriptArgument[]): TracedCall {
  if (names.at(-1) === tracedScripts.distrust) {
    // Any call may find out that its ledger cannot be right.
    const [ledgerId, , because, , thorough] = told
    return { ...call, method: 'distrust', args: [ledgerId, because, thorough === 1] }
  }
  const [thorough, places] = told.slice(-2)
  if (call.method !== 'move' || thorough !== 1 || !Buffer.isBuffer(places)) return call
  // A move out of a large manifest names also what shares with the parts that its caller named.
  const named = Array.from({ length: places.length / placeBytes }, (_, index) => ({
    partition: places.readUInt32BE(index * placeBytes),
    offset: BigInt(readUInt56(places, index * placeBytes + 4))
  }))
  return { ...call, args: call.args.with(2, named) }
}

const placeBytes = 11
