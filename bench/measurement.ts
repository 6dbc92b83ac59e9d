import { rounded } from './support/spread.ts'

/** What one measurement found. */
export interface Measurement {
  readonly documentsPerSecond: number
  /** Processor microseconds per document, by process. */
  readonly cpuUs: Readonly<Record<string, number>>
}

export function describe({ cpuUs, documentsPerSecond }: Measurement): string {
  const costs = Object.entries(cpuUs).map(([name, us]) => `${name} ${us}`)
  return `${rounded(documentsPerSecond, 0)} documents/s (µs of processor a document: ${costs.join(', ')})`
}
