import { join } from 'node:path'
import { type Outcome, outcomeOf } from '../stack/outcome-of.ts'
import type { kubernetesVersions } from './schema-files.ts'

/**
 * Holds objects against schemas; one without a schema is not sound.
 * @param schemas - the folder that `schemaFiles` gives.
 * @param objects - a stream of YAML documents.
 */
export async function checkObjects(
  kubeconform: string,
  schemas: string,
  version: (typeof kubernetesVersions)[number],
  objects: string,
  signal: AbortSignal
): Promise<Outcome> {
  const places = [version, 'custom'].flatMap(folder => [
    '-schema-location',
    join(schemas, folder, '{{.ResourceKind}}{{.KindSuffix}}.json')
  ])
  return await outcomeOf(kubeconform, ['-strict', '-summary', ...places], objects, signal)
}
