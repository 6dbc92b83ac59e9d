import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { cli } from '../../support/controller-cli.ts'

const run = promisify(execFile)

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'completion-'))
  folders.push(folder)
  return folder
}

/** What bash offers after these words, the last of which is being typed. */
async function offered(words: readonly string[]): Promise<readonly string[]> {
  const cwd = await makeFolder()
  await writeFile(join(cwd, 'notes.md'), '')
  await writeFile(join(cwd, 'completion'), (await cli(['completion', 'bash'])).out)
  const script = `set -u; source ./completion
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    compopt() { :; } # works only while somebody types
    _pointsman; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', 'pointsman', ...words], {
    cwd
  })
  expect(stderr).toBe('')
  return stdout.split('\n').filter(word => word !== '')
}

describe('completion in bash', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['sw'], ['switch']],
    [
      ['switch', 'r'],
      ['realtime', 'rollback']
    ],
    [
      ['switch', 'batch', '--strategy', ''],
      ['detach', 'drain', 'force']
    ],
    [
      ['switch', 'batch', '-s', 'd'],
      ['detach', 'drain']
    ],
    [['switch', 'batch', '--share', '25%', '--dr'], ['--dry-run']],
    [['switch', 'batch', '--reason', ''], []],
    [['jobs', 'ab'], ['abandon']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', '--help', '-h']
    ],
    [['ingest', 'no'], ['notes.md']]
  ])('after %j it offers %j', async (words, wanted) => {
    expect(await offered(words)).toEqual(wanted)
  })

  test('it offers every command', async () => {
    const commands = await offered([''])
    const { out } = await cli(['--help'])
    const listed = out.slice(out.indexOf('Commands:'), out.indexOf('The controller is found'))
    const named = [...listed.matchAll(/^ {2}([a-z-]+)[ |]/gm)].map(([, name]) => name)
    expect(named).toContain('switch')
    expect(commands).toEqual(expect.arrayContaining(named))
  })
})

describe('completion in other shells', () => {
  test.each([
    [
      'zsh',
      `(' switch batch|--strategy'|' switch batch|-s') items=('detach' 'drain' 'force'); compadd -a items`
    ],
    ['zsh', "'show:all about one switch'"],
    ['fish', "complete -c pointsman -n '__pointsman_at \\' switch\\'' -a realtime -d "],
    ['fish', "-l strategy -s s -x -a 'detach drain force' -d "]
  ])('%s is told %s', async (shell, line) => {
    const { exitCode, out } = await cli(['completion', shell])
    expect(exitCode).toBe(0)
    expect(out).toContain(line)
  })

  test('a shell that is not known is a wrong usage', async () => {
    expect((await cli(['completion', 'tcsh'])).exitCode).toBe(2)
  })
})
