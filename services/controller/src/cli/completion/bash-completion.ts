import { type CommandNode, quote } from './command-tree.ts'

/** To be read by `source <(pointsman completion bash)`. */
export function bashCompletion(name: string, tree: readonly CommandNode[]): string {
  return `_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${tree
        .slice(1)
        .map(({ path }) => quote(path))
        .join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at|$prev" in
${tree.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${tree.map(wordCase).join('\n')}
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -F _${name} ${name}
`
}

function valueCases({ options, path }: CommandNode): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ choices, flags }) => {
      const patterns = flags.map(flag => quote(`${path}|${flag}`)).join(' | ')
      return `    ${patterns}) COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$cur")); return ;;`
    })
}

function wordCase({ choices, commands, options, path, takesFiles }: CommandNode): string {
  const words = [...commands.map(({ word }) => word), ...choices, ...options.flatMap(({ flags }) => flags)]
  const files = takesFiles ? ' compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"));' : ''
  return `    ${quote(path)})${files} words=${quote(words.join(' '))} ;;`
}
