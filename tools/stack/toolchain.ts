// Finds the tools that the parts need. Java runs Kafka and the registry; Maven and Go only fetch.

import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir, readFile, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { oldestJava } from './pins.ts'

const run = promisify(execFile)

export interface JavaFound {
  readonly path: string
  readonly major: number
}

/** The world as the search sees it; tests give a made-up one. */
export interface ToolSearch {
  readonly env: NodeJS.ProcessEnv
  /** Folders that hold one JDK per entry. */
  readonly jvmFolders: readonly string[]
}

export function thisComputer(env: NodeJS.ProcessEnv): ToolSearch {
  const home = homedir()
  return {
    env,
    jvmFolders: [
      '/usr/lib/jvm',
      '/usr/java',
      '/opt',
      '/opt/java',
      join(home, '.sdkman/candidates/java'),
      join(home, '.jdks'),
      join(home, '.asdf/installs/java'),
      join(home, '.local/share/mise/installs/java'),
      '/Library/Java/JavaVirtualMachines'
    ]
  }
}

/**
 * The first Java that is new enough: JAVA_HOME, then PATH, then the newest of the usual folders. The default `java`
 * is often older than another one on the same computer.
 * @returns what is too old as well, for the message.
 */
export async function findJava(
  search: ToolSearch
): Promise<{ java?: JavaFound; tooOld: readonly JavaFound[] }> {
  const tooOld: JavaFound[] = []
  const named = [
    search.env['JAVA_HOME'] && join(search.env['JAVA_HOME'], 'bin/java'),
    await onPath('java', search.env)
  ]
  for (const path of named) {
    const java = path ? await tryJava(path) : undefined
    if (java !== undefined && java.major >= oldestJava) return { java, tooOld }
    if (java !== undefined) tooOld.push(java)
  }
  const others = await Promise.all((await installedJavas(search)).map(tryJava))
  const newestFirst = others.filter(java => java !== undefined).sort((a, b) => b.major - a.major)
  const [java] = newestFirst
  if (java !== undefined && java.major >= oldestJava) return { java, tooOld }
  return { tooOld: [...tooOld, ...newestFirst] }
}

/** The full path of a program on the PATH. */
export async function onPath(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program)
    if (folder !== '' && (await isExecutable(path))) return path
  }
  return undefined
}

async function installedJavas({ jvmFolders }: ToolSearch): Promise<string[]> {
  const found = new Set<string>()
  for (const folder of jvmFolders) {
    const entries = await readdir(folder).catch(() => [])
    for (const entry of entries) {
      for (const inside of ['bin/java', 'Contents/Home/bin/java']) {
        const path = await realpath(join(folder, entry, inside)).catch(() => undefined)
        if (path !== undefined) found.add(path)
      }
    }
  }
  return [...found]
}

async function tryJava(path: string): Promise<JavaFound | undefined> {
  const told = await majorFromReleaseFile(path)
  if (told !== undefined) return { path, major: told }
  try {
    const { stderr, stdout } = await run(path, ['-version'], { timeout: 20_000 })
    const major = parseJavaMajor(stderr + stdout)
    return major === undefined ? undefined : { path, major }
  } catch {
    return undefined
  }
}

/** JDKs say in a file what they are: reading it is a hundred times cheaper than starting one. */
async function majorFromReleaseFile(path: string): Promise<number | undefined> {
  const real = await realpath(path).catch(() => path)
  const release = await readFile(join(real, '../../release'), 'utf8').catch(() => '')
  const version = /^JAVA_VERSION="(.*)"/m.exec(release)
  return version === null ? undefined : parseJavaMajor(`version "${version[1]}"`)
}

/** `version "1.8.0_402"` is 8, `version "21"` and `version "25.0.1"` are 21 and 25. */
function parseJavaMajor(text: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(text)
  return found === null ? undefined : Number(found[1])
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}
