import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import type { SwitchReport } from '../switching/switch-report.ts'
import { lookAtTakeover, waitForEarlier } from './after-the-cut.ts'
import { askSurely } from './ask-surely.ts'
import { clean } from './clean.ts'
import type { CliContext } from './cli-context.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { followSwitch, isUnderWay } from './follow-switch.ts'
import { type OutputOptions, print } from './print.ts'
import { renderSwitched } from './render-switch.ts'

export interface WaitOptions extends OutputOptions {
  readonly wait?: boolean
  readonly timeout: number
}

/** Asks for a switch, sees it through, and tells what came of it. @param ask - may be repeated. */
export async function throwSwitch(
  context: CliContext,
  options: WaitOptions,
  switchId: string,
  ask: () => Promise<SwitchReport>
): Promise<void> {
  const report = await followSwitch(context, await askOnce(context, switchId, ask))
  const isCut = report.state === 'completed'
  const takeover = isCut ? await lookAtTakeover(context, report) : undefined
  if (isCut && options.wait === true) await waitForEarlier(context, report, options.timeout)
  print(context, options, { ...report, takeover: takeover ?? null }, () =>
    renderSwitched(report, takeover, context.terminal)
  )
  if (isCut || report.state === 'unchanged') return
  throw new CliError(exitCodes.refused, 'NOT_SWITCHED', isUnderWay(report) ? report.because : '')
}

/** For the history. */
export function askedBy({ reason }: { readonly reason?: string }) {
  return { actor: `cli:${userName()}`.slice(0, 100), ...(reason !== undefined && { reason }) }
}

/** Whatever becomes of the answers, it names one switch. */
export function newSwitchId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 16)
}

async function askOnce(
  context: CliContext,
  switchId: string,
  ask: () => Promise<SwitchReport>
): Promise<SwitchReport> {
  try {
    const onWait = ({ message }: CliError): void =>
      context.terminal.err(`${clean(message)}; asking again for the same switch\n`)
    return await askSurely(context, ask, { onWait })
  } catch (error) {
    if (!(error instanceof CliError) || error.outcome === 'refused') throw error
    const { code, exitCode, message } = error
    const hint = `\`pointsman switch show ${switchId}\` tells; repeated with --id ${switchId} it is done once`
    throw new CliError(exitCode, code, `${message}; whether it was accepted is not known`, hint, 'unknown')
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return 'unknown'
  }
}
