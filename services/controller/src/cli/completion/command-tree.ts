import type { Command } from 'commander'

/** What may follow a command on the command line. */
export interface CommandNode {
  /** Names from the program on, each after a blank: `''`, `' switch'`, `' switch batch'`. */
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly OptionWord[]
  /** What its arguments may be, as far as that is known. */
  readonly choices: readonly string[]
  readonly takesFiles: boolean
}

export interface Word {
  readonly word: string
  readonly description: string
}

export interface OptionWord {
  /** As typed: `--strategy`, `-s`. */
  readonly flags: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
}

/** The program and every command below it. */
export function commandTree(command: Command, path = ''): readonly CommandNode[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const args = command.registeredArguments
  const node: CommandNode = {
    path,
    commands: commands.map(child => ({ word: child.name(), description: child.description() })),
    options: help.visibleOptions(command).map(option => ({
      flags: [option.long, option.short].filter(flag => flag != null),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? []
    })),
    choices: args.flatMap(({ argChoices }) => argChoices ?? []),
    takesFiles: args.some(argument => argument.name() === 'path')
  }
  return [node, ...commands.flatMap(child => commandTree(child, `${path} ${child.name()}`))]
}

/** For bash and zsh. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
