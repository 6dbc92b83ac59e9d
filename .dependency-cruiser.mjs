// The arrows of the house: domain <- ports <- services <- main.ts. See docs/architecture.md.
const rule = (name, from, to) => ({ name, severity: 'error', from, to })

// Each foreign system is known to the adapter of its name and to nobody else.
const sdk = (name, folder) =>
  rule(
    `only-${folder}-uses-${name.replace(/[^a-z]/g, '-')}`,
    {
      path: '^(packages/core|services)/',
      pathNot: [`^packages/core/src/adapters/${folder}/`, '/main\\.ts$']
    },
    { path: `node_modules/${name}/` }
  )

export default {
  forbidden: [
    rule('no-cycles', {}, { circular: true }),
    rule('no-unresolved', {}, { couldNotResolve: true }),
    rule('domain-is-pure', { path: '^packages/core/src/domain/' }, { pathNot: '^packages/core/src/domain/' }),
    rule(
      'ports-know-only-domain',
      { path: '^packages/core/src/ports/' },
      { pathNot: '^packages/core/src/(domain|ports)/' }
    ),
    rule(
      'core-adapters-stand-alone',
      { path: '^packages/core/src/adapters/([^/]+)/' },
      { path: '^packages/core/src/adapters/([^/]+)/', pathNot: '^packages/core/src/adapters/$1/' }
    ),
    rule(
      'lane-knows-no-adapter',
      { path: '^packages/core/src/lane/' },
      { path: '^packages/core/src/', pathNot: '^packages/core/src/(domain|ports|runtime|lane)/' }
    ),
    rule(
      'only-embedders-know-lanes',
      { path: '^(packages|services)/', pathNot: '^(packages/core/src/lane|services/embedder-[a-z]+)/' },
      { path: '^packages/core/src/lane/' }
    ),
    rule('core-knows-no-service', { path: '^packages/' }, { path: '^services/' }),
    rule(
      'services-do-not-meet',
      { path: '^services/([^/]+)/' },
      { path: '^services/([^/]+)/', pathNot: '^services/$1/' }
    ),
    rule(
      'only-main-names-adapters',
      { path: '^services/', pathNot: '/main\\.ts$' },
      { path: '^packages/core/src/adapters/' }
    ),
    rule(
      'local-openai-stands-alone',
      { path: '^packages/local-openai/' },
      { path: '^(packages/core|services)/' }
    ),
    rule(
      'product-knows-no-local-openai',
      { path: '^(packages/core|services)/' },
      { path: '^packages/local-openai/' }
    ),
    rule('source-knows-no-test', { path: '^(packages|services)/' }, { path: '^(test|bench|tools)/' }),
    sdk('kafkajs', 'kafka'),
    sdk('@kafkajs', 'kafka'),
    sdk('ioredis', 'redis'),
    sdk('openai', 'openai'),
    sdk('weaviate-client', 'weaviate')
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] }
  }
}
