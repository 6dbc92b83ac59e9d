import { Argument, type Command } from 'commander'
import type { CliContext } from '../cli-context.ts'
import { bashCompletion } from '../completion/bash-completion.ts'
import { commandTree } from '../completion/command-tree.ts'
import { fishCompletion } from '../completion/fish-completion.ts'
import { zshCompletion } from '../completion/zsh-completion.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
const shells = ['bash', 'zsh', 'fish'] as const

/** The script holds all words: no program is started for a press of the Tab key. */
export function addCompletionCommand(program: Command, { terminal }: Pick<CliContext, 'terminal'>): void {
  program
    .command('completion')
    .description('a script by which a shell completes commands, options and their values')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      '\nFor good:' +
        "\n  bash  echo 'source <(pointsman completion bash)' >> ~/.bashrc" +
        "\n  zsh   echo 'source <(pointsman completion zsh)' >> ~/.zshrc   (after compinit)" +
        '\n  fish  pointsman completion fish > ~/.config/fish/completions/pointsman.fish'
    )
    .action((shell: (typeof shells)[number]) => {
      terminal.out(scripts[shell](program.name(), commandTree(program)))
    })
}
