/** The two ways to obtain a vector. A lane is a property of each Kafka partition; the ledger holds it. */
export type Lane = 'realtime' | 'batch'
