import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Catalogue } from './catalogue.js'
import { type DocumentSource, findSources } from './sources.js'

let folder: string
let sources: DocumentSource[]
const write = (path: string, markdown: string) => writeFile(join(folder, `${path}.md`), markdown)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scratchy-catalogue-'))
  sources = ['Zebra', 'Index', 'Apple'].map(path => ({
    path,
    section: 'Fruit and animals',
    file: join(folder, `${path}.md`),
    address: `https://example.com/blob/main/${path}.md`,
    project: 'things 1.0.0',
  }))
  await write('Zebra', '# Zebra\n\nIt has stripes, e.g. black ones. It runs.')
  await write('Index', '# What there is')
  await write('Apple', '# Apple\n\nA fruit.\n\n## Red\n\n### Dark red')
})
afterAll(() => rm(folder, { recursive: true }))

const open = () => Catalogue.open({ documents: sources, images: [] })
const titles = (catalogue: Catalogue) => catalogue.entries.map(({ title }) => title)

describe('a catalogue', () => {
  it('lists the documents of a section by title, its index first', async () => {
    const catalogue = await open()
    expect(titles(catalogue)).toEqual(['What there is', 'Apple', 'Zebra'])
    expect(catalogue.sections).toMatchObject([{ id: 'fruit-and-animals', title: 'Fruit and animals' }])
    expect(catalogue.entries[1]).toMatchObject({
      summary: 'A fruit.',
      headings: [
        { id: 'red', text: 'Red', level: 2 },
        { id: 'dark-red', text: 'Dark red', level: 3 },
      ],
    })
    expect(catalogue.entries[2]?.summary).toBe('It has stripes, e.g. black ones.')
  })

  it('knows no document but by its exact name', async () => {
    const catalogue = await open()
    expect(catalogue.article('Apple')?.html).toContain('<h1 id="apple">Apple</h1>')
    for (const path of ['apple', 'Apple.md', '../Apple', './Apple', '', 'constructor', '__proto__']) {
      expect(catalogue.article(path)).toBeUndefined()
    }
  })

  it('reads a document again when its file has changed, and only then', async () => {
    const catalogue = await open()
    const [, apple, zebra] = catalogue.entries
    await write('Apple', '# Crab apple')
    expect(titles(catalogue)).toContain('Apple')
    catalogue.refresh()
    expect(titles(catalogue)).toContain('Crab apple')
    expect(catalogue.article('Apple')?.html).toContain('Crab apple')
    expect(catalogue.entries).not.toContain(apple)
    expect(catalogue.entries).toContain(zebra)

    // As editors and deployments put a file in another's place: as long, and no younger.
    const file = join(folder, 'Apple.md')
    const time = new Date('2026-01-01')
    await utimes(file, time, time)
    catalogue.refresh()
    await write('Other', '# Hard apple')
    await rename(join(folder, 'Other.md'), file)
    await utimes(file, time, time)
    catalogue.refresh()
    expect(titles(catalogue)).toContain('Hard apple')
  })

  it('forgets a document whose file has gone, until it is back', async () => {
    const catalogue = await open()
    await rm(join(folder, 'Zebra.md'))
    catalogue.refresh()
    expect(catalogue.article('Zebra')).toBeUndefined()
    await write('Zebra', '# Zebra again')
    catalogue.refresh()
    expect(catalogue.article('Zebra')?.title).toBe('Zebra again')
  })
})

describe('the titles of real documents', () => {
  it('are the ones their authors gave them, or else their files’ names', async () => {
    const { documents, images } = findSources()
    const catalogue = await Catalogue.open({ documents, images })
    const titles = Object.fromEntries(catalogue.entries.map(({ source, title }) => [source.path, title]))
    expect(titles).toMatchObject({
      index: 'Fastify',
      'Guides/Index': 'Guides Table Of Contents',
      'Guides/Plugins-Guide': "The hitchhiker's guide to plugins",
      'Guides/Prototype-Poisoning': 'Prototype Poisoning',
      'Guides/Serverless': 'Serverless',
      'Reference/ContentTypeParser': 'Content-Type Parser',
      'Reference/Hooks': 'Hooks',
      'Reference/Index': 'Reference',
      'Reference/LTS': 'Long Term Support',
      'Reference/Server': 'Server',
    })
    for (const { summary } of catalogue.entries) expect(summary.length).toBeLessThanOrEqual(222)
  })
})
