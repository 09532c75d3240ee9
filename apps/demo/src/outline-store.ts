import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Outline } from './outline.js'
import type { DocumentSource } from './sources.js'

/** Beside the built files; the build writes it (store-outlines.ts). */
export const storeFile: URL = new URL('./outlines.json', import.meta.url)

/** Outlines by the digest of what they were made from. */
export type OutlineStore = Readonly<Record<string, Outline>>

/** What an outline depends on. Another text has another digest, so the store can be incomplete but not wrong. */
export const digestOf = ({ path, banner = '' }: DocumentSource, markdown: string): string =>
  createHash('sha256')
    .update(JSON.stringify([path, banner, markdown]))
    .digest('hex')

/**
 * The outlines that the build made. Parsing every document takes each thread seconds when it starts; looking its
 * outline up takes none.
 */
export function readOutlineStore(): OutlineStore {
  try {
    return JSON.parse(readFileSync(storeFile, 'utf8')) as OutlineStore
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
