import { parseArgs } from 'node:util'

export const usage = `Usage: npm start -- [options]

Starts Pointsman on this computer and shows it at work: reads the Markdown documentation of the installed packages, and
embeds it. Meanwhile it switches from realtime to batch under load, and back with jobs in flight. Then it compares log,
ledger and index, shows the bill, and searches. Stays up until Ctrl-C; data is kept under .pointsman/.

  --exit             end when the demonstration is over
  --json             one JSON object on standard output, everything else on standard error
  --namespace NAME   under which data is kept (default pointsman)
  --files N          read N files at most

With OPENAI_API_KEY set it uses OpenAI, which costs about a cent; without, a small model on this computer.`

export interface DemoOptions {
  readonly exit: boolean
  readonly json: boolean
  readonly namespace: string
  readonly maxFiles: number
}

/** @returns why the command line is wrong, or what it says; undefined when it asks for help. */
export function parseCommandLine(args: readonly string[]): DemoOptions | string | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        exit: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        namespace: { type: 'string', default: 'pointsman' },
        files: { type: 'string' },
        help: { type: 'boolean', short: 'h' }
      }
    })
    if (values.help === true) return undefined
    const maxFiles = values.files === undefined ? Number.MAX_SAFE_INTEGER : Number(values.files)
    if (!Number.isSafeInteger(maxFiles) || maxFiles < 1) return '--files must be a whole number above 0'
    if (!/^[a-zA-Z][a-zA-Z0-9._-]{0,63}$/.test(values.namespace)) {
      return '--namespace must be a letter followed by up to 63 letters, digits, . _ or -'
    }
    return { exit: values.exit, json: values.json, namespace: values.namespace, maxFiles }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
