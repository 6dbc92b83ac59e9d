// What docker-compose.yml, .env.example and the Dockerfile promise each other. That they work is shown by test/compose.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { checksums, pins } from '../../../tools/stack/pins.ts'

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8')

const providers = ['deploy/compose/provider', 'deploy/compose/provider-with-key']
const composeFiles = ['docker-compose.yml', ...providers.map(path => `${path}.yml`)]
const environments = providers.map(path => `${path}.env`)

const service = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.literal('.'), target: z.string() }).optional(),
  restart: z.string().optional(),
  stop_grace_period: z.string().optional(),
  mem_limit: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  ports: z.array(z.string()).default([]),
  profiles: z.array(z.string()).optional()
})
const composeFile = z.looseObject({ services: z.record(z.string(), service) })

const services = composeFiles
  .flatMap(path => Object.entries(composeFile.parse(parse(read(path), { merge: true })).services))
  .filter(([, { profiles }]) => profiles === undefined)
const names = services.map(([name]) => name)
const ours = services.filter(([, { build }]) => build !== undefined)
const theirs = services.filter(([, { build }]) => build === undefined)

const dockerfile = read('Dockerfile')
const argument = (name: string): string | undefined =>
  new RegExp(`^ARG ${name}=(.+)$`, 'm').exec(dockerfile)?.[1]

describe('docker-compose.yml', () => {
  test('has everything that Pointsman needs', () => {
    const servers = ['kafka', 'redis', 'registry', 'weaviate']
    const services = ['controller', 'embedder-batch', 'embedder-realtime', 'local-openai', 'producer']
    expect(names.toSorted()).toEqual([...servers, ...services].toSorted())
  })

  test('and .env.example know the same variables, with the same defaults', () => {
    const told = new Map<string, string>()
    for (const [, name = '', value = ''] of read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm))
      told.set(name, value)
    const used = new Map<string, Set<string>>()
    for (const path of [...composeFiles, ...environments])
      for (const [, name = '', given = ''] of read(path)
        .replaceAll(/^\s*#.*$/gm, '')
        .matchAll(/\$\{([A-Z][A-Z0-9_]*)(?::-([^${}]*)[$}])?/g))
        used.set(name, (used.get(name) ?? new Set()).add(given))

    expect([...told.keys()].toSorted()).toEqual([...used.keys()].toSorted())
    for (const [name, value] of told) if (value !== '') expect(used.get(name), name).toContain(value)
  })

  test('opens ports to this computer only, and none of what is scaled', () => {
    for (const [name, { ports }] of services)
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/)
    for (const [name, { ports }] of services)
      if (name.startsWith('embedder-')) expect(ports, name).toEqual([])
    for (const path of composeFiles) expect(read(path)).not.toMatch(/container_name|hostname:|network_mode/)
  })

  test.each(services)('%s is limited, starts again, and has time to stop', (_name, parts) => {
    expect(parts.restart).toBe('unless-stopped')
    expect(parts.stop_grace_period).toMatch(/^\d+s$/)
    expect(parts.mem_limit).toMatch(/^\$\{[A-Z_]+:-\d+[mg]\}$/)
  })

  test.each(theirs)(
    '%s is pinned by a variable, and asked for its health',
    (_name, { image, healthcheck }) => {
      expect(image).toMatch(/^\$\{[A-Z]+_IMAGE:-[a-z/-]+:[0-9][0-9a-z.-]+\}$/)
      expect(healthcheck).toBeDefined()
    }
  )

  test.each(ours)('%s is the image of its name, without a privilege or a place to write', (name, parts) => {
    expect(parts.build?.target).toBe(name)
    expect(parts.image).toBe(`\${POINTSMAN_IMAGE:-pointsman}/${name}:\${POINTSMAN_VERSION:-0.1.0}`)
    expect(parts).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true']
    })
  })

  test('waits for what is healthy', () => {
    for (const [name, { depends_on: needed = {} }] of services)
      for (const [other, { condition }] of Object.entries(needed)) {
        expect(names, name).toContain(other)
        expect(condition).toBe('service_healthy')
      }
  })

  test('has the versions that were proven, and that of this package', () => {
    const images = theirs.map(([, { image }]) => image).join(' ')
    for (const version of [pins.kafka, pins.registry, pins.weaviate]) expect(images).toContain(`:${version}}`)
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')))
    expect(read('docker-compose.yml')).toContain(`\${POINTSMAN_VERSION:-${version}}`)
  })
})

describe('Dockerfile', () => {
  test('has a target for each of our services', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name)
    expect(stages).toEqual(expect.arrayContaining(ours.map(([name]) => name)))
  })

  test('needs no frontend, and names no image without a version', () => {
    expect(dockerfile).not.toMatch(/^#\s*syntax\s*=/im)
    for (const name of ['NODE_IMAGE', 'MAVEN_IMAGE']) expect(argument(name)).toMatch(/:\d+\.\d+\.\d+-/)
    expect(argument('RUNTIME_IMAGE')).toMatch(/debian\d+:nonroot$/)
  })

  test('takes the Node and the model that the tests run on', () => {
    const { devDependencies } = z
      .object({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')))
    expect(argument('NODE_IMAGE')).toContain(`:${devDependencies['node']}-`)
    expect(argument('MINILM_VERSION')).toBe(pins.minilm)
    expect(argument('MINILM_MODEL_SHA256')).toBe(checksums.minilmModel)
    expect(argument('MINILM_VOCABULARY_SHA256')).toBe(checksums.minilmTokenizer)
    expect(dockerfile).toContain(`maven-dependency-plugin:${pins.mavenDependencyPlugin}:`)
  })

  test('runs as nobody in particular', () => {
    expect(dockerfile).toMatch(/^USER 65532:65532$/m)
    expect(dockerfile.match(/^USER /gm)).toHaveLength(1)
  })
})
