// unit: everything in one process, no server. integration and e2e: on real servers, see test/support/real-services.ts;
// property tests that need one live in test/integration.

import { defineConfig } from 'vitest/config'

const realServices = 'test/support/real-services.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'],
          testTimeout: 10_000
        }
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: realServices,
          testTimeout: 20_000,
          hookTimeout: 30_000,
          maxWorkers: 2
        }
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: realServices,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each starts whole services; two of them at once starve each other on two cores.
          maxWorkers: 1,
          fileParallelism: false
        }
      }
    ]
  }
})
