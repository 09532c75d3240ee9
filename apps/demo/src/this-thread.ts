import { Catalogue } from './catalogue.js'
import { type PageRequest, renderPage } from './page.js'
import { findSources } from './sources.js'

let opening: Promise<Catalogue> | undefined

/** Reads the documents on the thread that calls, the first time. */
export function openOnThisThread(): Promise<Catalogue> {
  opening ??= Catalogue.open(findSources()).catch(error => {
    opening = undefined
    throw error
  })
  return opening
}

/** Makes the same page as a worker does, on the thread that calls: for `?in=thread`, to compare. */
export async function renderOnThisThread(
  request: PageRequest,
): Promise<{ statusCode: number; bytes: Buffer }> {
  const { statusCode, html } = renderPage(await openOnThisThread(), request)
  return { statusCode, bytes: Buffer.from(html) }
}
