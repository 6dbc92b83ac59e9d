// Every client reaches every server through a fault proxy of its own, so that one link can be cut and all others live.

export const serverNames = ['kafka', 'registry', 'redis', 'weaviate', 'weaviate-grpc', 'openai'] as const
export type ServerName = (typeof serverNames)[number]

export interface LinkRoute {
  readonly client: string
  readonly server: ServerName
  /** Where the client goes. */
  readonly port: number
  /** Where the server is. */
  readonly upstreamPort: number
}

export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'reset_peer' | 'slicer'
  readonly stream: 'upstream' | 'downstream'
  readonly attributes: Readonly<Record<string, number>>
}

const json = { 'content-type': 'application/json' }

export class Links {
  readonly #url: string

  /** @param url - of toxiproxy's API. */
  constructor(url: string) {
    this.#url = url
  }

  async open(routes: readonly LinkRoute[]): Promise<void> {
    for (const { client, port, server, upstreamPort } of routes) {
      const listen = `127.0.0.1:${port}`
      const upstream = `127.0.0.1:${upstreamPort}`
      await this.#call('POST', '/proxies', { name: nameOf(client, server), listen, upstream, enabled: true })
    }
  }

  /** Ends all connections, and refuses new ones. */
  async cut(client: string, server: ServerName): Promise<void> {
    await this.#call('POST', `/proxies/${nameOf(client, server)}`, { enabled: false })
  }

  async mend(client: string, server: ServerName): Promise<void> {
    await this.#call('POST', `/proxies/${nameOf(client, server)}`, { enabled: true })
  }

  async poison(client: string, server: ServerName, name: string, toxic: Toxic): Promise<void> {
    await this.#call('POST', `/proxies/${nameOf(client, server)}/toxics`, { name, toxicity: 1, ...toxic })
  }

  async cure(client: string, server: ServerName, name: string): Promise<void> {
    await this.#call('DELETE', `/proxies/${nameOf(client, server)}/toxics/${name}`)
  }

  /** All links are whole, and without toxics. */
  async healAll(): Promise<void> {
    await this.#call('POST', '/reset')
  }

  async #call(method: string, path: string, body?: object): Promise<void> {
    const reply = await fetch(`${this.#url}${path}`, {
      method,
      headers: json,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000)
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`toxiproxy, ${method} ${path}: ${reply.status} ${text}`)
  }
}

function nameOf(client: string, server: ServerName): string {
  return `${client}.${server}`
}
