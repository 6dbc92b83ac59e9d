// `npm run check:helm`: the chart is linted and rendered with each set of values in its folder ci, and every object is held
// against the schemas of Kubernetes, KEDA and the Prometheus Operator. Exit codes: 0 done, 1 failed.

import { basename } from 'node:path'
import { chartFolder, chartTools, renderChart, valueSets } from './chart-tools.ts'
import { checkObjects } from './check-objects.ts'
import { type Outcome, outcomeOf } from '../stack/outcome-of.ts'
import { kubernetesVersions, schemaFiles } from './schema-files.ts'

async function main(signal: AbortSignal): Promise<boolean> {
  const { helm, kubeconform } = await chartTools(process.env, line => console.error(line), signal)
  const schemas = await schemaFiles(process.env, signal)
  let sound = true
  const tell = (title: string, { ok, said }: Outcome): void => {
    sound &&= ok
    console.log(ok ? `passed ${title}` : `FAILED ${title}\n${said}`)
  }

  for (const values of await valueSets()) {
    const name = basename(values)
    const lint = ['lint', '--strict', '--values', values, chartFolder]
    tell(`lint ${name}`, await outcomeOf(helm, lint, '', signal))
    const objects = await renderChart(helm, values)
    for (const version of kubernetesVersions) {
      tell(
        `Kubernetes ${version} ${name}`,
        await checkObjects(kubeconform, schemas, version, objects, signal)
      )
    }
  }
  return sound
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
try {
  process.exitCode = (await main(stop.signal)) ? 0 : 1
} catch (error) {
  if (!(error instanceof Error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
