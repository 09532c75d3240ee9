const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, character => escapes[character] as string)

const languages = {
  ascii: {
    titles: ['Bread & butter', '"Quoted" <goods>', 'The quick brown fox', 'A lazy dog, sleeping'],
    price: new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }),
  },
  other: {
    titles: ['Zażółć gęślą & jaźń', '«Съешь» <булок>', 'Ὀδυσσεύς ναί', 'いろはにほへと'],
    price: new Intl.NumberFormat('ru-RU', { style: 'currency', currency: 'EUR' }),
  },
}

/** About how many characters a part has: what a framework flushes at once. */
const PART = 4096

/**
 * Renders a price list of exactly `bytes` bytes of UTF-8, a part after the other: escaped text and formatted numbers,
 * about as much work for each byte as a template engine has.
 */
export function* documentParts(bytes: number, ascii: boolean): Generator<string> {
  const { titles, price } = languages[ascii ? 'ascii' : 'other']
  let left = bytes
  let part = '<!doctype html><title>Prices</title><table>\n'
  left -= part.length
  for (let number = 1; ; number++) {
    const title = titles[number % titles.length] as string
    const row = `<tr class="${number % 2 ? 'odd' : 'even'}"><td>${number}<td>${escapeHtml(title)}<td>${price.format(number * 1.37)}\n`
    const length = Buffer.byteLength(row)
    if (length > left) break
    left -= length
    part += row
    if (part.length < PART) continue
    yield part
    part = ''
  }
  yield part + ' '.repeat(left)
}
