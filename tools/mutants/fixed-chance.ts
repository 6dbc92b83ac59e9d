// For the property tests, so that the table is the same each time: one seed, and no time spent on smaller examples.
import fc from 'fast-check'

fc.configureGlobal({ seed: 1, endOnFailure: true })
