import { backOffMs } from '@pointsman/core/runtime/back-off'
import type { BatchDeps } from './batch-deps.ts'

const longestMs = 600_000

/** Rest before the provider is asked again for what it refused `tries` times, from 1. */
export function providerRestMs(
  tries: number,
  { clock, options }: Pick<BatchDeps, 'clock' | 'options'>
): number {
  return backOffMs(tries - 1, { firstMs: options.retryDelayMs, longestMs }, clock.random())
}
