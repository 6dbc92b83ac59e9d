import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartPlan } from './part.ts'

export interface ToxiproxySettings {
  readonly server: string
  readonly folder: string
  readonly port: number
  readonly routes: readonly ProxyRoute[]
}

export interface ProxyRoute {
  readonly name: string
  /** Where clients go. */
  readonly port: number
  /** Where the server is. */
  readonly upstreamPort: number
}

export function toxiproxyPlan({ server, folder, port, routes }: ToxiproxySettings): PartPlan {
  const config = join(folder, 'proxies.json')
  const proxies = routes.map(({ name, port: listen, upstreamPort }) => ({
    name,
    listen: `127.0.0.1:${listen}`,
    upstream: `127.0.0.1:${upstreamPort}`,
    enabled: true
  }))
  return {
    name: 'toxiproxy',
    ports: { api: port, ...Object.fromEntries(routes.map(route => [`to ${route.name}`, route.port])) },
    file: server,
    args: ['-host', '127.0.0.1', '-port', String(port), '-config', config],
    env: { LOG_LEVEL: 'warn' },
    cwd: folder,
    async prepare() {
      await mkdir(folder, { recursive: true })
      await writeFile(config, JSON.stringify(proxies))
    },
    async probe(signal) {
      const response = await fetch(`http://127.0.0.1:${port}/proxies`, { signal })
      const known = Object.keys(JSON.parse(await response.text()))
      const missing = routes.filter(route => !known.includes(route.name))
      if (missing.length > 0) throw new Error(`no proxy yet: ${missing.map(route => route.name).join(', ')}`)
    }
  }
}
