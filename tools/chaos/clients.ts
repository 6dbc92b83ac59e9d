// Who takes part, under the names of their processes, links and logs.

export const realtimeEmbedders = ['embedder-realtime-1', 'embedder-realtime-2'] as const
export const batchEmbedders = ['embedder-batch-1', 'embedder-batch-2'] as const
export const embedders = [...realtimeEmbedders, ...batchEmbedders] as const
export const controllers = ['controller-1', 'controller-2'] as const
export const services = [...embedders, ...controllers] as const
export type ServiceName = (typeof services)[number]

/** Services, and all that produce. */
export const clients = [...services, 'producer'] as const
export type ClientName = (typeof clients)[number]

export function isRealtime(name: string): boolean {
  return name.startsWith('embedder-realtime')
}
