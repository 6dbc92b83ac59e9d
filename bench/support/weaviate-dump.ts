// Every object of a collection as Weaviate's REST API has it, read without a line of Pointsman.

export interface DumpedObject {
  readonly id: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly vector: readonly number[]
}

const pageObjects = 500
const beforeAll = '00000000-0000-0000-0000-000000000000'

export async function* dumpWeaviate(
  url: string,
  collection: string,
  signal: AbortSignal
): AsyncGenerator<readonly DumpedObject[]> {
  for (let after = beforeAll; ; ) {
    const query = new URLSearchParams({
      class: collection,
      limit: String(pageObjects),
      include: 'vector',
      after
    })
    const reply = await fetch(`${url}/v1/objects?${query.toString()}`, { signal })
    if (!reply.ok) throw new Error(`dump of ${collection}: ${reply.status} ${await reply.text()}`)
    const page: { readonly objects: readonly DumpedObject[] } = JSON.parse(await reply.text())
    const last = page.objects.at(-1)
    if (last === undefined) return
    yield page.objects
    after = last.id
  }
}
