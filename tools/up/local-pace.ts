// What goes without saying when the provider is the small model on this computer. Whoever sets one of these in the
// environment gets what was set.

/**
 * A model on this computer does some dozens of texts a second at best, one request after the other: many large ones
 * at once would only run into their deadline, and be paid for again.
 */
export const slowModel = { EMBED_REQUEST_INPUTS: '32', EMBED_MAX_IN_FLIGHT: '2', EMBED_TIMEOUT_MS: '300000' }

/** A minute a second: jobs that are said to take minutes take seconds, and files still outlive a long night. */
export const jobClock = ['--clock-factor', '60', '--turnaround', 'lognormal:120,600']

/** It is billed like this, so that a rehearsal shows real sums. */
export const localUsdPerMillionTokens = 0.02

/**
 * Several jobs even of a small corpus, sealed and looked at within seconds. What does not fit in three of them stays in the
 * log, from which either lane takes it.
 */
export const quickJobs = {
  BATCH_MAX_LINES: '250',
  BATCH_MAX_JOBS: '3',
  BATCH_MIN_LINES: '50',
  BATCH_LINGER_MS: '2000',
  BATCH_POLL_MIN_MS: '500',
  BATCH_POLL_MAX_MS: '2000',
  BATCH_DOUBT_GRACE_MS: '2000',
  BATCH_RETRY_DELAY_MS: '2000'
}
