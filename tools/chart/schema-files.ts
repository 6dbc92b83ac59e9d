// JSON schemas of Kubernetes objects, as kubeconform reads them: `<version>/<kind>-<group>-<version>.json`. Those of Kubernetes
// itself come with a Python package, those of KEDA and of the Prometheus Operator from the Go modules that define them.

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '@pointsman/core/runtime/message-of'
import { cacheRoot, install, stateOf } from '../stack/cache.ts'
import { pythonPackages } from '../stack/python-packages.ts'
import { customSchemas } from './custom-schemas.ts'

const run = promisify(execFile)

/** The oldest that the chart says it runs on, and a recent one. */
export const kubernetesVersions = ['1.30.0', '1.37.0'] as const

const packagePin = 'kubernetes-validate==1.37.0'
const modules = [
  { pin: 'github.com/kedacore/keda/v2@v2.21.0', folder: 'config/crd/bases', files: /^keda\.sh_/ },
  {
    pin: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: /_(podmonitors|prometheusrules|servicemonitors)\.yaml$/
  }
] as const

/** @returns their folder, in the cache; fetched when it is not there. */
export async function schemaFiles(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const names = [packagePin, ...modules.map(({ pin }) => pin.split('/').at(-1)), ...kubernetesVersions]
  const folder = join(cacheRoot(env), 'kubernetes-schemas', names.join(',').replaceAll('==', '-'))
  if ((await stateOf(folder)) !== 'intact') {
    await install(folder, async scratch => {
      await writeBuiltIn(scratch)
      for (const module of modules) await writeCustom(scratch, module, env, signal)
    })
  }
  return folder
}

async function writeBuiltIn(into: string): Promise<void> {
  const packages = await pythonPackages('kubernetes-validate', [packagePin])
  for (const version of kubernetesVersions) {
    const from = join(packages, 'kubernetes_validate/kubernetes-json-schema', `v${version}-local-strict`)
    await mkdir(join(into, version), { recursive: true })
    for (const name of await readdir(from)) {
      const text = await readFile(join(from, name), 'utf8')
      await writeFile(join(into, version, name), besideEachOther(text))
    }
  }
}

/** They name themselves by an address, and so each other: then they would be looked for in the network. */
function besideEachOther(text: string): string {
  return text
    .replaceAll(/"\$id": *"[^"]*",?/g, '')
    .replaceAll(/,(\s*\})/g, '$1')
    .replaceAll('"/api/_definitions.json#', '"_definitions.json#')
}

async function writeCustom(
  into: string,
  { pin, folder, files }: (typeof modules)[number],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal
): Promise<void> {
  const options = { env: { ...env, GO111MODULE: 'on' }, signal }
  const { stdout } = await run('go', ['mod', 'download', '-json', pin], options).catch((cause: unknown) => {
    signal.throwIfAborted()
    const remedy = 'Go and its modules: install it from https://go.dev/dl'
    throw new Error(`schemas of Kubernetes objects need ${remedy}\n${messageOf(cause)}`, { cause })
  })
  const { Dir: module }: { readonly Dir: string } = JSON.parse(stdout)
  const names = (await readdir(join(module, folder))).filter(name => files.test(name))
  if (names.length === 0) throw new Error(`${pin} has no definitions in ${folder}`)
  await mkdir(join(into, 'custom'), { recursive: true })
  for (const name of names) {
    const definition = await readFile(join(module, folder, name), 'utf8')
    for (const { file, schema } of customSchemas(definition)) {
      await writeFile(join(into, 'custom', file), JSON.stringify(schema))
    }
  }
}
