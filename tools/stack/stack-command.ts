// Reads the command line of `npm run stack`.

import { parseArgs } from 'node:util'
import { partNames, type PartName } from './part.ts'
import { portNames, type StackPorts } from './stack-ports.ts'

export const usage = `npm run stack -- COMMAND [options]

Starts real Kafka, schema registry, Redis and Weaviate on this computer, without Docker.

  up       start a stack and stay in the foreground; Ctrl-C ends it
  down     end the stack of that name
  status   what runs, under which process ids and ports
  env      its addresses as lines for a shell:  eval "$(npm run --silent stack -- env)"

  --name NAME              several stacks run side by side under different names (default: default)
  --json                   machine-readable output
  --help

only with up:
  --data DIR               keep the data there and use it again at the next start (default: a temporary folder)
  --parts A,B              only these: ${partNames.join(', ')}
                           (default: all but toxiproxy, which puts a fault proxy in front of the others)
  --async-indexing         Weaviate's ASYNC_INDEXING=true
  --weaviate-memory SIZE   Weaviate's GOMEMLIMIT (default: 1GiB)
  --port NAME=PORT         a fixed port instead of a free one; may be repeated; NAME is one of
                           ${portNames.slice(0, 9).join(', ')},
                           ${portNames.slice(9).join(', ')}
`

export interface UpCommand {
  readonly kind: 'up'
  readonly name: string
  readonly json: boolean
  readonly dataDir: string | undefined
  readonly parts: readonly PartName[] | undefined
  readonly asyncIndexing: boolean
  readonly weaviateMemoryLimit: string | undefined
  readonly ports: Partial<StackPorts>
}

export type StackCommand =
  | UpCommand
  | { readonly kind: 'down' | 'status' | 'env'; readonly name: string; readonly json: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly reason: string }

export function parseStackCommand(args: readonly string[]): StackCommand {
  try {
    return parse(args)
  } catch (error) {
    return { kind: 'wrong', reason: error instanceof Error ? error.message : String(error) }
  }
}

function parse(args: readonly string[]): StackCommand {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'default' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      data: { type: 'string' },
      parts: { type: 'string' },
      'async-indexing': { type: 'boolean' },
      'weaviate-memory': { type: 'string' },
      port: { type: 'string', multiple: true }
    }
  })
  const { name, json, help, ...forUp } = values
  if (help) return { kind: 'help' }
  const [command, ...more] = positionals
  if (command === undefined) throw new Error('a command is missing')
  if (more.length > 0) throw new Error(`unexpected argument: ${more.join(' ')}`)
  // It becomes a file name.
  if (!/^[\w-]{1,64}$/.test(name)) throw new Error('--name takes letters, digits, - and _')
  switch (command) {
    case 'up':
      return {
        kind: 'up',
        name,
        json,
        dataDir: forUp.data,
        parts: forUp.parts?.split(',').map(parsePartName),
        asyncIndexing: forUp['async-indexing'] ?? false,
        weaviateMemoryLimit: forUp['weaviate-memory'],
        ports: Object.fromEntries((forUp.port ?? []).map(parsePort))
      }
    case 'down':
    case 'status':
    case 'env': {
      const [foreign] = Object.keys(forUp)
      if (foreign !== undefined) throw new Error(`--${foreign} goes with up only`)
      return { kind: command, name, json }
    }
    default:
      throw new Error(`unknown command: ${command}`)
  }
}

function parsePartName(text: string): PartName {
  const found = partNames.find(name => name === text)
  if (found === undefined) throw new Error(`--parts: there is no part ${text}`)
  return found
}

function parsePort(text: string): [string, number] {
  const [name, value = ''] = text.split('=')
  const found = portNames.find(each => each === name)
  const port = Number(value)
  if (found === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`--port takes NAME=PORT with a known name and a number from 1 to 65535, not ${text}`)
  }
  return [found, port]
}
