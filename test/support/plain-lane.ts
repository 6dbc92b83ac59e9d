// An instance with nothing but what both lanes share: the test decides what is admitted, and where vectors come from.
import type { Digest } from '@pointsman/core/domain/identity'
import { LaneInstance } from '@pointsman/core/lane/lane-instance'
import type { LaneKind } from '@pointsman/core/lane/lane-kind'
import type { LaneOptions } from '@pointsman/core/lane/lane-options'
import type { LanePorts } from '@pointsman/core/lane/lane-ports'
import type { StreamDeps } from '@pointsman/core/lane/lane-stream'
import type { Obtained, VectorSource } from '@pointsman/core/lane/vector-source'
import type { LaneSort } from './memory-lane.ts'

/** As many dimensions as the index in memory has. */
const dimensions = 8
const vector = new Uint8Array(new Float32Array(dimensions).fill(0.5).buffer)

/** @param kind - what differs from a lane that finishes everything at once with `aSource()`. */
export function plainLane(kind: (deps: StreamDeps) => Partial<LaneKind>): LaneSort<LanePorts, LaneOptions> {
  return {
    lane: 'batch',
    ports: common => common,
    options: common => common,
    make: (ports, options) =>
      new LaneInstance(
        {
          lane: 'batch',
          spec: { model: 'plain', dimensions },
          admitInputs: 16,
          admitTokens: 10_000,
          maxWorks: 4,
          checkProvider: () => Promise.resolve(),
          kind: deps => ({
            ready: () => Promise.resolve({}),
            admitted: items => items,
            sourceOf: () => aSource(),
            loops: [],
            ...kind(deps)
          })
        },
        ports,
        options
      )
  }
}

export function aSource(
  obtain: (wanted: readonly Digest[]) => Promise<Partial<Obtained>> = async wanted => ({
    vectors: new Map(wanted.map(content => [content, vector]))
  }),
  release: () => void = () => undefined
): VectorSource {
  const nothing = { vectors: new Map(), dead: new Map(), paidTokens: 0, attempts: 0 }
  return { obtain: async wanted => ({ ...nothing, ...(await obtain([...wanted.keys()])) }), release }
}
