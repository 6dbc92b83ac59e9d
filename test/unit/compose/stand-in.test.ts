import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { standInFor, standInVersion } from '../../../tools/compose/stand-in.ts'
import { pins } from '../../../tools/stack/pins.ts'

test('an image of a known name has a stand-in, whatever registry and variant it names', () => {
  expect(standInFor('gcr.io/distroless/cc-debian13:nonroot').target).toBe('distroless')
  expect(standInFor(`apache/kafka:${pins.kafka}`).target).toBe('kafka')
  expect(standInFor(`node:${process.versions.node}-trixie-slim`).target).toBe('node')
})

test('an image that nobody made a stand-in for is named', () => {
  expect(() => standInFor('postgres:18')).toThrow('postgres:18 cannot be pulled, and there is no stand-in')
})

test('a stand-in of another version than the compose file asks for is refused', () => {
  expect(() => standInFor('apache/kafka:3.9.0')).toThrow(`its stand-in would be ${pins.kafka}`)
})

test('the version of the stand-ins changes with any file that they are made from', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pointsman-recipes-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), 'FROM scratch')
    const first = await standInVersion(folder)
    expect(await standInVersion(folder)).toBe(first)
    await writeFile(join(folder, 'Dockerfile'), 'FROM other')
    expect(await standInVersion(folder)).not.toBe(first)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
