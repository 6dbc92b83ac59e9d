import type { Lane } from '@pointsman/core/domain/lane'

export function otherLane(lane: Lane): Lane {
  return lane === 'realtime' ? 'batch' : 'realtime'
}
