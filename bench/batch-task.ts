/** On the clock of the jobs: longer than the longest that a job is looked at before and after its lines run. */
export const turnaroundSeconds = 3_600
