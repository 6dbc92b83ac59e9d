import type { CommandNode } from './command-tree.ts'

/** To be read by `pointsman completion fish | source`. */
export function fishCompletion(name: string, tree: readonly CommandNode[]): string {
  const below = tree.slice(1).map(({ path }) => quote(path))
  return `function __${name}_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    contains -- "$at $word" ${below.join(' ')}
    and set at "$at $word"
  end
  test "$at" = "$argv[1]"
end
complete -c ${name} -e
complete -c ${name} -f
${tree.flatMap(node => linesOf(name, node)).join('\n')}
`
}

function linesOf(name: string, { choices, commands, options, path, takesFiles }: CommandNode): string[] {
  const here = `complete -c ${name} -n ${quote(`__${name}_at ${quote(path)}`)}`
  return [
    ...commands.map(({ description, word }) => `${here} -a ${word} -d ${quote(description)}`),
    ...(choices.length > 0 ? [`${here} -a ${quote(choices.join(' '))}`] : []),
    ...(takesFiles ? [`${here} -F`] : []),
    ...options.map(option => {
      const flags = option.flags.map(flag =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
      )
      const value = option.takesValue ? [`-x -a ${quote(option.choices.join(' '))}`] : []
      return [here, ...flags, ...value, `-d ${quote(option.description)}`].join(' ')
    })
  ]
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
