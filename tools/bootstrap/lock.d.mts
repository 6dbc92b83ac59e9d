export type Release = () => Promise<void>

export interface LockOptions {
  readonly onWait?: ((holder: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export function tryLock(path: string): Promise<Release | undefined>
export function lock(path: string, options?: LockOptions): Promise<Release>
export function holderOf(path: string): Promise<string | undefined>
