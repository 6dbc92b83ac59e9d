// docker-compose.yml as it is, brought up under a name, ports, images and a folder of its own.

import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, tryCall } from '../../../tools/compose/call.ts'
import { testPrefix } from '../../../tools/compose/sweep.ts'
import { reservePortBlock, type PortBlock } from '../../../tools/stack/ports.ts'

const root = join(import.meta.dirname, '../../..')
const token = 'pointsman-compose-test'

export const ours = ['producer', 'embedder-realtime', 'embedder-batch', 'controller', 'local-openai'] as const
export type Ours = (typeof ours)[number]

/** User and group of every image of ours. */
export const nonRoot = '65532:65532'

export class ComposeProject implements AsyncDisposable {
  /** Mounted as /documents. */
  readonly folder: string
  readonly name: string
  readonly #env: NodeJS.ProcessEnv
  readonly #ports: PortBlock
  readonly #images: string

  private constructor(folder: string, ports: PortBlock) {
    const id = randomUUID().slice(0, 8)
    this.folder = folder
    this.name = `${testPrefix}${id}`
    this.#ports = ports
    this.#images = this.name
    const numbered = ['CONTROLLER', 'KAFKA', 'REGISTRY', 'REDIS', 'WEAVIATE', 'WEAVIATE_GRPC']
    this.#env = {
      ...process.env,
      COMPOSE_PROJECT_NAME: this.name,
      POINTSMAN_IMAGE: this.#images,
      POINTSMAN_API_TOKEN: token,
      DOCUMENTS_DIR: folder,
      // Never somebody's own account.
      OPENAI_API_KEY: '',
      ...Object.fromEntries(numbered.map((name, index) => [`${name}_PORT`, String(ports.first + index)]))
    }
  }

  static async open(): Promise<ComposeProject> {
    const folder = await mkdtemp(join(tmpdir(), 'pointsman-documents-'))
    await chmod(folder, 0o755)
    return new ComposeProject(folder, await reservePortBlock())
  }

  /** What every container has said, for whoever looks for a cause. @returns where it stands. */
  async keepLogs(): Promise<string> {
    const path = join(tmpdir(), `${this.name}.log`)
    await writeFile(path, await this.compose('logs', '--no-color', '--timestamps'))
    return path
  }

  /** Nothing of it stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '10')
    await this.#tryDocker('image', 'rm', ...ours.map(service => this.imageOf(service)))
    await rm(this.folder, { recursive: true, force: true })
    await this.#ports[Symbol.asyncDispose]()
  }

  get weaviateUrl(): string {
    return `http://127.0.0.1:${this.#env['WEAVIATE_PORT']}`
  }

  imageOf(service: Ours): string {
    return `${this.#images}/${service}:0.1.0`
  }

  /** @returns standard output. @throws {ComposeError} with standard error. */
  compose(...args: readonly string[]): Promise<string> {
    // Without the .env of whoever works here.
    return this.docker('compose', '--env-file', '/dev/null', ...args)
  }

  docker(...args: readonly string[]): Promise<string> {
    return call('docker', args, { env: this.#env, cwd: root }, new AbortController().signal)
  }

  #tryDocker(...args: readonly string[]): Promise<string | undefined> {
    return tryCall('docker', args, { env: this.#env, cwd: root }, new AbortController().signal)
  }

  /** Ids of the containers of a service, running or not. */
  async containersOf(service: string): Promise<readonly string[]> {
    return (await this.compose('ps', '--all', '--quiet', service)).split('\n').filter(id => id !== '')
  }

  async containerOf(service: string): Promise<string> {
    const [id] = await this.containersOf(service)
    if (id === undefined) throw new Error(`${service} has no container`)
    return id
  }

  /** @param format - a Go template, as of `docker inspect`. */
  async inspect(container: string, format: string): Promise<string> {
    return (await this.docker('inspect', '--format', format, container)).trim()
  }

  /** Files in its own layer, as `docker diff` names them; where volumes are mounted the engine has put a folder. */
  async strayWritesOf(service: Ours): Promise<readonly string[]> {
    const container = await this.containerOf(service)
    const mounts = await this.inspect(container, '{{range .Mounts}}{{println .Destination}}{{end}}')
    const changes = (await this.docker('diff', container)).split('\n').filter(line => line !== '')
    return changes.filter(line => !mounts.split('\n').includes(line.replace(/^A /, '')))
  }

  /**
   * Ends its process as a crash would. `docker kill` would be an order of the operator, after which the engine does not start
   * it again. From a container that sees all processes: the engine may be on another computer.
   */
  async crash(container: string): Promise<void> {
    const pid = await this.inspect(container, '{{.State.Pid}}')
    const kill = `process.kill(${pid}, 'SIGKILL')`
    const options = ['--rm', '--pid', 'host', '--network', 'none', '--user', nonRoot, '--no-healthcheck']
    const node = ['--entrypoint', '/usr/local/bin/node', this.imageOf('controller')]
    await this.docker('run', ...options, ...node, '--eval', kill)
  }

  /** The command line in the controller's container. @returns what it answers to --json. */
  async pointsman(...args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.compose('exec', '--no-TTY', 'controller', 'pointsman', ...args, '--json'))
  }

  /** REST of the controller, from outside. */
  async rest(path: string, body?: object): Promise<{ readonly status: number; readonly answer: unknown }> {
    const reply = await fetch(`http://127.0.0.1:${this.#env['CONTROLLER_PORT']}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(120_000),
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await reply.text()
    return { status: reply.status, answer: text.startsWith('{') ? JSON.parse(text) : text }
  }

  /** The routes of the local provider that answer in its own container alone. */
  async provider(path: string, body?: object): Promise<unknown> {
    const options = body === undefined ? {} : { method: 'PUT', body: JSON.stringify(body) }
    const headers = body === undefined ? {} : { headers: { 'content-type': 'application/json' } }
    const ask = `fetch('http://127.0.0.1:8000/_local${path}', ${JSON.stringify({ ...options, ...headers })})
      .then(reply => reply.text()).then(text => process.stdout.write(text))`
    const node = ['/usr/local/bin/node', '--eval', ask]
    return JSON.parse(await this.compose('exec', '--no-TTY', 'local-openai', ...node))
  }
}
