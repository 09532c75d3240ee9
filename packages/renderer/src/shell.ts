/** Options of {@link wrapInShell}. */
export interface ShellOptions {
  /** The document's language, a BCP 47 tag. Default `en`. */
  lang?: string
  /** Attributes of `<html>`, `<body>`; values are escaped. */
  htmlAttributes?: Readonly<Record<string, string>>
  bodyAttributes?: Readonly<Record<string, string>>
  /** Data for scripts in the page, in a `<script type="application/json">` that `JSON.parse` reads. */
  props?: unknown
  /** The `id` of that script. Default `__PROPS__`. */
  propsId?: string
}

/**
 * A whole HTML document around a page's body. `body` and `head` are HTML and go in as they are; charset and viewport
 * are set, the rest of the head is the caller's.
 *
 * @throws TypeError for an attribute name that HTML doesn't allow, or props that JSON can't hold
 */
export function wrapInShell(body: string, head = '', options: ShellOptions = {}): string {
  const { lang = 'en', htmlAttributes = {}, bodyAttributes = {}, props, propsId = '__PROPS__' } = options
  const data =
    props === undefined
      ? ''
      : `<script type="application/json" id="${escapeHtml(propsId)}">${json(props)}</script>`
  return `<!doctype html>
<html${attributes({ lang, ...htmlAttributes })}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${head}</head>
<body${attributes(bodyAttributes)}>${body}${data}</body>
</html>
`
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      if (!/^[^\s"'<>/=\p{Cc}]+$/u.test(name))
        throw new TypeError(`"${name}" can't be the name of an attribute`)
      return ` ${name}="${escapeHtml(value)}"`
    })
    .join('')
}

const entities: Record<string, string> = { '&': '&amp;', '"': '&quot;', '<': '&lt;', '>': '&gt;' }

const escapeHtml = (value: string) => value.replace(/[&"<>]/g, character => entities[character] as string)

/** JSON that can stand inside a `<script>`: no `<` can end it or open a comment, and JSON.parse gives the same value. */
function json(props: unknown): string {
  const text = JSON.stringify(props)
  if (text === undefined) throw new TypeError(`props is ${typeof props}, nothing that JSON can hold`)
  return text.replaceAll('<', '\\u003c')
}
