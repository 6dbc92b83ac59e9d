import { join } from 'node:path'
import type { CliContext } from './cli-context.ts'
import { CliError, exitCodes, type ExitCode } from './cli-error.ts'
import { runFolder } from './run-file.ts'

const producerPath = 'services/producer/src/main.ts'

/**
 * Runs the producer, which reads the files of this computer.
 * @param onEvent - gets each thing that it tells.
 * @returns how it ended.
 */
export async function runProducer(
  { run, env, runFile, namespace }: Pick<CliContext, 'run' | 'env' | 'runFile' | 'namespace'>,
  args: readonly string[],
  onEvent: (event: unknown) => void | Promise<void>
): Promise<ExitCode> {
  const exitCode = await run(producerPath, ['--json', ...args], {
    env: { ...producerEnv(runFile, namespace), ...given(env) },
    onLine: line => onEvent(parseJson(line))
  })
  const known = [exitCodes.done, exitCodes.usage, exitCodes.refused].find(code => code === exitCode)
  return known ?? exitCodes.failed
}

/** A run says what it did. */
export function withoutReport(exitCode: ExitCode): CliError {
  const code = exitCode === exitCodes.done ? exitCodes.failed : exitCode
  return new CliError(code, 'PRODUCER_FAILED', 'the producer ended without a report')
}

/** Where the producer finds Kafka, unless the environment says it. */
function producerEnv(
  runFile: CliContext['runFile'],
  namespace: string
): Readonly<Record<string, string | undefined>> {
  return {
    // What it has to say of Kafka's small hiccups is not for this screen.
    LOG_LEVEL: 'error',
    POINTSMAN_NAMESPACE: namespace,
    KAFKA_BROKERS: runFile?.kafka,
    SCHEMA_REGISTRY_URL: runFile?.registry,
    POINTSMAN_STATE_DIR: runFile && join(runFolder(namespace), 'producer')
  }
}

function given(env: CliContext['env']): CliContext['env'] {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
