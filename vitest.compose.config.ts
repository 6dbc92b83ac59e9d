// The compose file on a real Docker engine: `npm run test:compose`. Apart from the other projects, since `npm test` needs no
// Docker.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'compose',
    include: ['test/compose/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // One story on one set of containers.
    fileParallelism: false,
    bail: 1
  }
})
