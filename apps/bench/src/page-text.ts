/** A page of exactly `bytes` bytes of UTF-8; with `ascii` false about half of its characters take two. */
export function pageText(bytes: number, ascii: boolean): string {
  const paragraph = ascii
    ? '<p class="lead">The quick brown fox jumps over the lazy dog, &amp; so on.</p>\n'
    : '<p class="lead">Zażółć gęślą jaźń; съешь ещё этих мягких булок. Ὀδυσσεύς — ναί.</p>\n'
  const whole = Math.floor(bytes / Buffer.byteLength(paragraph))
  const text = paragraph.repeat(whole)
  return text + ' '.repeat(bytes - Buffer.byteLength(text))
}
