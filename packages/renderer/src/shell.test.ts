import { describe, expect, it } from 'vitest'
import { wrapInShell } from './shell.js'

describe('wrapInShell', () => {
  it('makes a whole document around body and head', () => {
    expect(
      wrapInShell('<h1>Hi</h1>', '<title>T</title>', { lang: 'pl', bodyAttributes: { class: 'a "b"' } }),
    ).toBe(
      '<!doctype html>\n<html lang="pl">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>T</title></head>\n<body class="a &quot;b&quot;"><h1>Hi</h1></body>\n</html>\n',
    )
  })

  it('embeds props that no markup in them can end, and that JSON.parse reads back', () => {
    const props = { text: '</script><script>alert(1)</script><!-- & é', n: 1 }
    const html = wrapInShell('', '', { props })
    const embedded = html.split('id="__PROPS__">')[1]?.split('</script>')[0] ?? ''
    expect(embedded).not.toContain('<')
    expect(JSON.parse(embedded)).toEqual(props)
  })

  it('refuses attribute names and props that can not be', () => {
    expect(() => wrapInShell('', '', { htmlAttributes: { 'a b': '1' } })).toThrow(TypeError)
    expect(() => wrapInShell('', '', { bodyAttributes: { 'x><script': '1' } })).toThrow(/can't be the name/)
    expect(() => wrapInShell('', '', { props: () => {} })).toThrow('props is function')
  })
})
