export function installPackages(root: string): Promise<void>
