import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pins } from '../stack/pins.ts'
import { ComposeError } from './compose-error.ts'

/** What one image can be replaced by. */
export interface StandIn {
  /** In stand-ins/Dockerfile. */
  readonly target: string
  /** What the tag has to begin with, where the server is of one version; elsewhere Debian's is taken. */
  readonly version?: string
  /** Folders of the context that it is made from. */
  readonly ingredients: readonly Ingredient[]
}

export type Ingredient = 'host' | 'java' | 'kafka' | 'maven' | 'node' | 'registry' | 'scripts' | 'weaviate'

const standIns: Readonly<Record<string, StandIn>> = {
  'apache/kafka': { target: 'kafka', version: pins.kafka, ingredients: ['java', 'host', 'kafka', 'scripts'] },
  'apicurio/apicurio-registry': {
    target: 'registry',
    version: pins.registry,
    ingredients: ['java', 'host', 'registry', 'scripts']
  },
  'gcr.io/distroless/cc-debian13': { target: 'distroless', ingredients: ['host'] },
  maven: { target: 'maven', ingredients: ['java', 'host', 'maven'] },
  node: { target: 'node', version: process.versions.node, ingredients: ['node', 'host'] },
  redis: { target: 'redis', ingredients: ['scripts'] },
  'semitechnologies/weaviate': { target: 'weaviate', version: pins.weaviate, ingredients: ['weaviate'] }
}

/** @throws {ComposeError} when there is none for an image of that name. */
export function standInFor(image: string): StandIn {
  const [repository = '', tag = ''] = image.split(/:(?=[^/:]*$)/)
  const standIn = standIns[repository]
  if (standIn === undefined) {
    throw new ComposeError(
      `${image} cannot be pulled, and there is no stand-in for it in tools/compose/stand-ins`
    )
  }
  if (standIn.version !== undefined && !tag.startsWith(standIn.version)) {
    throw new ComposeError(
      `${image} cannot be pulled, and its stand-in would be ${standIn.version}: pin the same`
    )
  }
  return standIn
}

/** Changes whenever a stand-in has to be built again: it is a label of each. */
export async function standInVersion(folder: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([pins, process.versions.node]))
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const file of files.sort()) hash.update(file.slice(folder.length)).update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}
