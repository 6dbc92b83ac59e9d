import { expect, test } from 'vitest'
import { chooseServers } from '../../support/choose-servers.ts'

const addresses = {
  TEST_KAFKA_BROKERS: 'kafka:1',
  TEST_SCHEMA_REGISTRY_URL: 'http://registry:2',
  TEST_REDIS_URL: 'redis://redis:3',
  TEST_WEAVIATE_URL: 'http://weaviate:4',
  TEST_WEAVIATE_GRPC_URL: 'http://weaviate:5',
  TEST_MINILM_DIR: '/minilm'
}

test('the tests run on native servers unless told otherwise', () => {
  expect(chooseServers({})).toEqual({ kind: 'native' })
  expect(chooseServers({ TEST_STACK: '' })).toEqual({ kind: 'native' })
  expect(chooseServers({ TEST_STACK: 'native' })).toEqual({ kind: 'native' })
})

test('TEST_STACK=containers asks for servers in containers', () => {
  expect(chooseServers({ TEST_STACK: 'containers' })).toEqual({ kind: 'containers' })
})

test('any other TEST_STACK is refused with the values that there are', () => {
  expect(() => chooseServers({ TEST_STACK: 'docker' })).toThrow(
    'TEST_STACK is "docker": it may be "native" (the default) or "containers"'
  )
})

test('servers that are named by their addresses are taken', () => {
  expect(chooseServers(addresses)).toEqual({
    kind: 'given',
    env: {
      KAFKA_BROKERS: 'kafka:1',
      SCHEMA_REGISTRY_URL: 'http://registry:2',
      REDIS_URL: 'redis://redis:3',
      WEAVIATE_URL: 'http://weaviate:4',
      WEAVIATE_GRPC_URL: 'http://weaviate:5',
      MINILM_DIR: '/minilm'
    }
  })
})

test('some of the addresses without the others are refused, and the missing ones named', () => {
  expect(() => chooseServers({ ...addresses, TEST_REDIS_URL: '', TEST_MINILM_DIR: undefined })).toThrow(
    'missing: TEST_REDIS_URL, TEST_MINILM_DIR'
  )
})

test.each(['native', 'containers'])('addresses together with TEST_STACK=%s contradict each other', stack => {
  expect(() => chooseServers({ TEST_STACK: stack, TEST_REDIS_URL: 'redis://redis:3' })).toThrow(
    `TEST_STACK=${stack} starts servers, but others are named by TEST_REDIS_URL: unset one or the other`
  )
})
