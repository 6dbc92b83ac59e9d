// Which server of a stack listens where.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isFree, reservePortBlock, type PortBlock } from './ports.ts'

// The place in the block is the port's offset.
export const portNames = [
  'kafka',
  'kafkaController',
  'kafkaProxied',
  'registry',
  'registryManagement',
  'redis',
  'weaviate',
  'weaviateGrpc',
  'weaviateGossip',
  'weaviateData',
  'weaviateRaft',
  'weaviateRaftRpc',
  'toxiproxy',
  'toKafka',
  'toRegistry',
  'toRedis',
  'toWeaviate',
  'toWeaviateGrpc'
] as const

export type PortName = (typeof portNames)[number]
export type StackPorts = Readonly<Record<PortName, number>>

const fileName = 'ports.json'

/** The ports of the last start of a lasting data folder, while nobody else took one; otherwise fresh ones. */
export async function choosePorts(
  lastingFolder: string | undefined,
  wanted: Partial<StackPorts>
): Promise<{ readonly ports: StackPorts; readonly block: PortBlock | undefined }> {
  const earlier = lastingFolder === undefined ? undefined : await loadPorts(lastingFolder)
  if (earlier !== undefined) return { ports: { ...earlier, ...wanted }, block: undefined }

  const block = await reservePortBlock()
  const port = (name: PortName): number => wanted[name] ?? block.first + portNames.indexOf(name)
  const ports: StackPorts = {
    kafka: port('kafka'),
    kafkaController: port('kafkaController'),
    kafkaProxied: port('kafkaProxied'),
    registry: port('registry'),
    registryManagement: port('registryManagement'),
    redis: port('redis'),
    weaviate: port('weaviate'),
    weaviateGrpc: port('weaviateGrpc'),
    weaviateGossip: port('weaviateGossip'),
    weaviateData: port('weaviateData'),
    weaviateRaft: port('weaviateRaft'),
    weaviateRaftRpc: port('weaviateRaftRpc'),
    toxiproxy: port('toxiproxy'),
    toKafka: port('toKafka'),
    toRegistry: port('toRegistry'),
    toRedis: port('toRedis'),
    toWeaviate: port('toWeaviate'),
    toWeaviateGrpc: port('toWeaviateGrpc')
  }
  if (lastingFolder !== undefined) await writeFile(join(lastingFolder, fileName), JSON.stringify(ports))
  return { ports, block }
}

async function loadPorts(folder: string): Promise<StackPorts | undefined> {
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined)
  const known: unknown = text === undefined ? undefined : JSON.parse(text)
  if (!isStackPorts(known)) return undefined
  const free = await Promise.all(portNames.map(name => isFree(known[name])))
  return free.every(Boolean) ? known : undefined
}

function isStackPorts(value: unknown): value is StackPorts {
  return (
    typeof value === 'object' &&
    value !== null &&
    portNames.every(name => Number.isInteger(Reflect.get(value, name)))
  )
}
