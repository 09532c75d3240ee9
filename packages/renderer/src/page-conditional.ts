/** Whether the client has this page already: `If-None-Match` names its tag, compared weakly, or is `*`. */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const known = ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []
  return known.some(tag => opaque(tag) === opaque(etag))
}

const opaque = (etag: string) => (etag.startsWith('W/') ? etag.slice(2) : etag)
