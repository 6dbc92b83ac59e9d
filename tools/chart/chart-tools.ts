import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchArtifacts } from '../stack/fetch-artifacts.ts'
import { thisComputer } from '../stack/toolchain.ts'

const run = promisify(execFile)

export const chartFolder = join(import.meta.dirname, '../../deploy/helm/pointsman')

/** What examples are rendered as. */
export const release = { name: 'example', namespace: 'apps' } as const

export interface ChartTools {
  readonly helm: string
  readonly kubeconform: string
}

/**
 * Compiled when they are not in the cache yet, for which it takes Go.
 * @param say - told how far that is.
 * @throws {StackError} with what is missing on this computer, and the remedy.
 */
export async function chartTools(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  signal: AbortSignal
): Promise<ChartTools> {
  const output = { isLive: false, write: (text: string) => say(text.trimEnd()) }
  const { folderOf } = await fetchArtifacts(
    ['helm', 'kubeconform'],
    { search: thisComputer(env), output },
    signal
  )
  return { helm: join(folderOf('helm'), 'helm'), kubeconform: join(folderOf('kubeconform'), 'kubeconform') }
}

/** Paths of the sets of values that the chart is tried with. */
export async function valueSets(): Promise<readonly string[]> {
  const names = await readdir(join(chartFolder, 'ci'))
  return names.toSorted().map(name => join(chartFolder, 'ci', name))
}

/** All objects, as one stream of YAML documents. @throws {Error} with what Helm says. */
export async function renderChart(
  helm: string,
  values: string,
  settings: readonly string[] = []
): Promise<string> {
  const sets = settings.flatMap(setting => ['--set', setting])
  const { stdout } = await run(
    helm,
    ['template', release.name, chartFolder, '--namespace', release.namespace, '--values', values, ...sets],
    { maxBuffer: 16 * 1024 * 1024 }
  )
  return stdout
}
