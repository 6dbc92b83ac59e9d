export function isInstalled(root: string): Promise<boolean>
export function stampInstalled(root: string): Promise<void>
