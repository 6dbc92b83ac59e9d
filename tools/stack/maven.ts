// Lets Maven fetch what Maven Central has: a made-up project names the files and a plugin copies them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pins } from './pins.ts'
import { runCommand } from './run-command.ts'

export interface MavenFile {
  readonly groupId: string
  readonly artifactId: string
  readonly version: string
  readonly type?: string
  readonly classifier?: string
}

export type MavenStep =
  /** The files with everything they need at run time. */
  | { readonly kind: 'with-dependencies'; readonly files: readonly MavenFile[]; readonly into: string }
  | { readonly kind: 'copy'; readonly file: MavenFile; readonly into: string }
  /** What is inside the file; `includes` are patterns. */
  | { readonly kind: 'unpack'; readonly file: MavenFile; readonly into: string; readonly includes?: string }

export interface Maven {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

/** @param freshRepository - ignores what earlier downloads left in the user's local repository: one may be torn. */
export async function runMaven(
  maven: Maven,
  steps: readonly MavenStep[],
  freshRepository: boolean,
  signal: AbortSignal
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pointsman-maven-'))
  try {
    await writeFile(join(folder, 'pom.xml'), pom(steps))
    const repository = freshRepository ? [`-Dmaven.repo.local=${join(folder, 'repository')}`] : []
    const args = ['--batch-mode', '--no-transfer-progress', ...repository, 'package']
    await runCommand({ file: maven.path, args, cwd: folder, env: maven.env }, () => {}, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function pom(steps: readonly MavenStep[]): string {
  const dependencies = steps.flatMap(step => (step.kind === 'with-dependencies' ? step.files : []))
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pointsman</groupId><artifactId>stack</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.map(file => `<dependency>${coordinates(file)}</dependency>`).join('')}</dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
    <version>${pins.mavenDependencyPlugin}</version>
    <executions>${steps.map(execution).join('')}</executions>
  </plugin></plugins></build>
</project>
`
}

function execution(step: MavenStep, index: number): string {
  const into = `<outputDirectory>${step.into}</outputDirectory>`
  const wrap = (goal: string, configuration: string): string =>
    `<execution><id>step-${index}</id><phase>package</phase><goals><goal>${goal}</goal></goals>` +
    `<configuration>${configuration}</configuration></execution>`

  switch (step.kind) {
    case 'with-dependencies':
      return wrap('copy-dependencies', `<includeScope>runtime</includeScope>${into}`)
    case 'copy':
      return wrap(
        'copy',
        `<artifactItems><artifactItem>${coordinates(step.file)}${into}</artifactItem></artifactItems>`
      )
    case 'unpack': {
      const includes = step.includes === undefined ? '' : `<includes>${step.includes}</includes>`
      const item = `<artifactItem>${coordinates(step.file)}${includes}${into}</artifactItem>`
      return wrap('unpack', `<artifactItems>${item}</artifactItems>`)
    }
  }
}

function coordinates({ groupId, artifactId, version, type, classifier }: MavenFile): string {
  const optional = (name: string, value?: string): string =>
    value === undefined ? '' : `<${name}>${value}</${name}>`
  return (
    `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>` +
    optional('type', type) +
    optional('classifier', classifier)
  )
}
