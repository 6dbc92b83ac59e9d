/** The two ways to obtain a vector. A lane is a property of each Kafka partition; the ledger holds it. */
export type Lane = 'realtime' | 'batch'

export const lanes: readonly Lane[] = ['realtime', 'batch']

export function otherLane(lane: Lane): Lane {
  return lane === 'realtime' ? 'batch' : 'realtime'
}
