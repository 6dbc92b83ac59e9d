#!/usr/bin/env node
import { once } from 'node:events'
import { parseCommandLine, usage } from './command-line.ts'
import { startLocalOpenai } from './start-local-openai.ts'

const command = parseCommandLine(process.argv.slice(2))
switch (command.kind) {
  case 'help':
    console.log(usage)
    break
  case 'wrong':
    console.error(
      `local-openai: wrong options\n${command.problems.map(problem => `  ${problem}`).join('\n')}`
    )
    process.exitCode = 2
    break
  case 'serve': {
    const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
    const server = await startLocalOpenai(command.options)
    const { url, adminUrl } = server
    console.log(command.json ? JSON.stringify({ url, adminUrl, pid: process.pid }) : `Ready at ${url}`)
    await stop
    await server[Symbol.asyncDispose]()
    break
  }
}
