import { createHash } from 'node:crypto'
import type { Page } from './page-transport.js'
import type { HeaderValue } from './protocol.js'

/** A page that is kept: bytes of its own, which nobody writes to any more. */
export interface PageCopy {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** The page's own, or one made of its bytes. */
  readonly etag: string
  /** When its render began, by `performance.now()`. */
  readonly at: number
}

/** Whether everyone who sends the same request may get this page. */
export function isStorable({ statusCode, headers }: Page): boolean {
  return (
    statusCode === 200 &&
    headers['set-cookie'] === undefined &&
    !/(?:^|[\s,;])(?:private|no-store|no-cache)(?:$|[\s,;=])/i.test(String(headers['cache-control'] ?? '')) &&
    !String(headers.vary ?? '').includes('*')
  )
}

/** Copies a page and gives its memory back. */
export function copyOf(page: Page, at: number): PageCopy {
  const body = ownBytes(page.body)
  const { headers } = page
  page.release()
  // Weak: what compresses the response later changes its bytes, and not its meaning.
  const hash = () => `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
  return { body, headers, etag: typeof headers.etag === 'string' ? headers.etag : hash(), at }
}

/** A part of a larger buffer would keep all of that. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

/** About what it takes in memory. */
export function sizeOfCopy({ body, headers }: PageCopy): number {
  return body.length + JSON.stringify(headers).length + 512
}

/** A copy as Redis keeps it: the length of the head, the head as JSON, the page's bytes. */
export function encodeCopy(copy: PageCopy, generations: Readonly<Record<string, string>>): Buffer {
  const { headers, etag, at, body } = copy
  const renderedAt = Date.now() - (performance.now() - at)
  const head = Buffer.from(JSON.stringify({ generations, renderedAt, headers, etag }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, body])
}

/** The copy, unless one of its tags has another generation by now, or it is none. */
export function decodeCopy(
  bytes: Buffer,
  generations: Readonly<Record<string, string | null>>,
): PageCopy | undefined {
  try {
    const end = 4 + bytes.readUInt32LE(0)
    const head = JSON.parse(bytes.toString('utf8', 4, end))
    const tags = Object.keys(head.generations)
    const isCurrent =
      tags.length === Object.keys(generations).length &&
      tags.every(tag => head.generations[tag] === generations[tag])
    if (!isCurrent) return undefined
    const { headers, etag, renderedAt } = head
    return {
      body: ownBytes(bytes.subarray(end)),
      headers,
      etag,
      at: performance.now() - Math.max(0, Date.now() - renderedAt),
    }
  } catch {
    return undefined // written by something else
  }
}
