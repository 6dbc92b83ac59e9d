// The provider as one sees it whose list of jobs lags behind: what was made a moment ago is not in it yet.
import type { MemoryBatchProvider } from '@pointsman/core/adapters/memory/batch-provider'
import type { BatchProvider } from '@pointsman/core/ports/batch-provider'
import type { World } from './world.ts'

export function laggingList(provider: MemoryBatchProvider, world: World): BatchProvider {
  const { clock, plan, story } = world
  const isListed = (batchId: string): boolean => {
    const job = provider.server.jobs.find(each => each.batchId === batchId)
    const listed = job === undefined || job.createdMs + plan.listLagMs <= clock.nowMs()
    if (!listed) story.note('a job was not listed yet')
    return listed
  }
  const lagging: Pick<BatchProvider, 'find' | 'jobs'> = {
    find: async (key, signal) => {
      const found = await provider.find(key, signal)
      return found === undefined || isListed(found.batchId) ? found : undefined
    },
    jobs: async (namespace, signal) => {
      const all = await provider.jobs(namespace, signal)
      return all.filter(({ report }) => isListed(report.batchId))
    }
  }
  return new Proxy<BatchProvider>(provider, {
    get: (target, key) => {
      const source = key in lagging ? lagging : target
      const value: unknown = Reflect.get(source, key, source)
      return typeof value === 'function' ? value.bind(source) : value
    }
  })
}
