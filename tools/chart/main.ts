// `npm run check:helm`: the chart is linted and rendered with each set of values in its folder ci, and every object is held
// against the schemas of Kubernetes, KEDA and the Prometheus Operator. Exit codes: 0 done, 1 failed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { chartFolder, chartTools, renderChart, valueSets } from './chart-tools.ts'
import { kubernetesVersions, schemaFiles } from './schema-files.ts'

async function main(signal: AbortSignal): Promise<boolean> {
  const { helm, kubeconform } = await chartTools(process.env, process.stderr, signal)
  const schemas = await schemaFiles(process.env, signal)
  let sound = true
  const check = async (title: string, file: string, args: readonly string[], input = ''): Promise<void> => {
    const { ok, said } = await outcomeOf(file, args, input, signal)
    sound &&= ok
    console.log(`${ok ? 'passed' : 'FAILED'} ${title}${ok ? '' : `\n${said}`}`)
  }

  for (const values of await valueSets()) {
    const name = basename(values)
    await check(`lint ${name}`, helm, ['lint', '--strict', '--values', values, chartFolder])
    const objects = await renderChart(helm, values)
    for (const version of kubernetesVersions) {
      const places = [version, 'custom'].flatMap(folder => [
        '-schema-location',
        join(schemas, folder, '{{.ResourceKind}}{{.KindSuffix}}.json')
      ])
      await check(`Kubernetes ${version} ${name}`, kubeconform, ['-strict', '-summary', ...places], objects)
    }
  }
  return sound
}

async function outcomeOf(
  file: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal
): Promise<{ readonly ok: boolean; readonly said: string }> {
  const child = spawn(file, args, { signal, stdio: ['pipe', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { ok: child.exitCode === 0, said: `${stdout}${stderr}`.trimEnd() }
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
