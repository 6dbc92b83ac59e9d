import { type CommandNode, quote } from './command-tree.ts'

/** To be read by `source <(pointsman completion zsh)`, after compinit. */
export function zshCompletion(name: string, tree: readonly CommandNode[]): string {
  return `#compdef ${name}
_${name}() {
  local at='' word
  local -a items
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      (${tree
        .slice(1)
        .map(({ path }) => quote(path))
        .join('|')}) at="$at $word" ;;
    esac
  done
  case "$at|\${words[CURRENT-1]}" in
${tree.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${tree.map(wordCase).join('\n')}
  esac
  _describe ${name} items
}
compdef _${name} ${name}
`
}

function valueCases({ options, path }: CommandNode): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ choices, flags }) => {
      const patterns = flags.map(flag => quote(`${path}|${flag}`)).join('|')
      return `    (${patterns}) items=(${choices.map(quote).join(' ')}); compadd -a items; return ;;`
    })
}

function wordCase({ choices, commands, options, path, takesFiles }: CommandNode): string {
  const items = [
    ...commands.map(({ description, word }) => quote(`${word}:${description}`)),
    ...choices.map(quote),
    ...options.flatMap(({ description, flags }) => flags.map(flag => quote(`${flag}:${description}`)))
  ]
  return `    (${quote(path)})${takesFiles ? ' _files;' : ''} items=(${items.join(' ')}) ;;`
}
