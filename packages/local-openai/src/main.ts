#!/usr/bin/env node
import { once } from 'node:events'
import { parseCommandLine } from './command-line.ts'
import { explainStartFailure } from './explain-start-failure.ts'
import { startLocalOpenai } from './start-local-openai.ts'
import type { LocalOpenaiOptions } from './start-local-openai.ts'
import { usage } from './usage.ts'

async function serve(options: LocalOpenaiOptions, json: boolean): Promise<void> {
  const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  await using server = await startLocalOpenai(options)
  const { url, adminUrl } = server
  console.log(json ? JSON.stringify({ url, adminUrl, pid: process.pid }) : `Ready at ${url}`)
  await stop
}

const command = parseCommandLine(process.argv.slice(2), process.env['MINILM_DIR'])
switch (command.kind) {
  case 'help':
    console.log(usage)
    break
  case 'wrong':
    console.error(
      `local-openai: wrong options\n${command.problems.map(problem => `  ${problem}`).join('\n')}\n--help tells them.`
    )
    process.exitCode = 2
    break
  case 'serve':
    await serve(command.options, command.json).catch((error: unknown) => {
      console.error(`local-openai: ${explainStartFailure(error, command.options)}`)
      process.exitCode = 1
    })
}
