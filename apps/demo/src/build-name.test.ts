import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { buildName } from './build-name.js'
import { findSources } from './sources.js'

it('a build has a name of its own: of its worker, and of where its documents come from', () => {
  const worker = new URL('./worker.ts', import.meta.url)
  const { documents, images } = findSources()
  const name = buildName(worker, { documents, images })
  expect(buildName(pathToFileURL(fileURLToPath(worker)), { documents, images })).toBe(name)
  const elsewhere = documents.map(document => ({ ...document, file: `/elsewhere/${document.path}.md` }))
  expect(buildName(worker, { documents: elsewhere, images })).toBe(name)
  const newer = documents.map(document => ({ ...document, project: 'fastify 99.0.0' }))
  expect(buildName(worker, { documents: newer, images })).not.toBe(name)
  expect(buildName(new URL('./page.tsx', import.meta.url), { documents, images })).not.toBe(name)
})
