export function identify(pid: number): string
export function pidOf(identity: string): number
export function isAlive(identity: string): boolean
