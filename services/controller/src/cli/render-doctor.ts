import type { DoctorReport, Finding } from '../doctor/doctor-report.ts'
import { clean } from './clean.ts'
import type { Terminal } from './terminal.ts'

const marks = { ok: ['good', '✓'], warning: ['warning', '!'], error: ['bad', '✗'] } as const

export function renderDoctor({ findings, healthy }: DoctorReport, terminal: Pick<Terminal, 'paint'>): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const line = ({ check, severity, finding, remedy }: Finding): string => {
    const [tone, mark] = marks[severity]
    const told = `${terminal.paint(tone, mark)} ${check.padEnd(width)}  ${clean(finding)}`
    return remedy === null ? told : `${told}\n  ${' '.repeat(width)}  → ${clean(remedy)}`
  }
  const verdict = healthy
    ? terminal.paint('good', 'Healthy.')
    : terminal.paint('bad', 'Something must be done.')
  return [...findings.map(line), '', verdict].join('\n')
}
