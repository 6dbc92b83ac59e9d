import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pythonEnv, pythonPackages } from '../../tools/stack/python-packages.ts'

const run = promisify(execFile)

const pins = [
  'openai==3.54.0',
  'annotated-types==0.8.0',
  'anyio==4.16.0',
  'h11==0.16.0',
  'httpcore2==2.16.2',
  'httpx2==2.16.2',
  'idna==3.20',
  'jiter==0.19.0',
  'pydantic==2.14.3',
  'pydantic_core==2.50.4',
  'sniffio==1.3.1',
  'truststore==0.10.5',
  'typing-inspection==0.4.5',
  'typing_extensions==4.16.0'
]

/** The official Python package. */
export async function openaiPythonPath(): Promise<string> {
  return await pythonPackages('openai-python', pins)
}

/** @returns what it printed. */
export async function runPython(
  script: string,
  pythonPath: string,
  env: Readonly<Record<string, string>>
): Promise<string> {
  const ours = { PYTHONPATH: pythonPath, ...pythonEnv }
  const { stdout } = await run('python3', [script], { env: { ...process.env, ...ours, ...env } })
  return stdout
}
