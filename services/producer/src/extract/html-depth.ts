const maxDepth = 1000

/** Elements that are closed by what follows them, or hold nothing. */
const unclosed: ReadonlySet<string> = new Set(
  (
    'area base br col dd dt embed hr img input li link meta option optgroup p param source tbody td tfoot th thead ' +
    'tr track wbr'
  ).split(' ')
)

/** Whether elements nest deeper than any page does: parsers take time and stack with the depth. */
export function isHtmlTooDeep(html: string): boolean {
  let depth = 0
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9-]{0,30})/gi)) {
    if (unclosed.has(name.toLowerCase())) continue
    depth = slash === '' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > maxDepth) return true
  }
  return false
}
