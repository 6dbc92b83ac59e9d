import { clean } from './clean.ts'
import { formatCount } from './format.ts'

export interface Rejections {
  readonly rejected: readonly {
    readonly path: string
    readonly id?: string | undefined
    readonly reason: string
  }[]
  readonly rejectedTotal: number
}

export function renderRejections({ rejected, rejectedTotal }: Rejections): string[] {
  if (rejectedTotal === 0) return []
  const lines = [`${formatCount(rejectedTotal)} rejected:`]
  for (const { path, id, reason } of rejected.slice(0, 20)) {
    lines.push(`  ${clean(path)}${id === undefined ? '' : ` ${clean(id)}`}: ${clean(reason)}`)
  }
  if (rejectedTotal > 20) lines.push(`  and ${formatCount(rejectedTotal - 20)} more: --json names them`)
  return lines
}
