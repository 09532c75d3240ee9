import { pageText } from './page-text.js'

const pages = new Map<string, string>()

/** The rival: a plain Piscina task whose result is the page as a string. */
export default function render({
  props: { bytes, ascii },
}: {
  props: { bytes: number; ascii: boolean }
}): string {
  const key = `${bytes} ${ascii}`
  const page = pages.get(key) ?? pageText(bytes, ascii)
  pages.set(key, page)
  return page
}
