import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A Markdown file that has a page here. */
export interface DocumentSource {
  /** What follows `/docs/`, and the document's key when it is invalidated: `Reference/Hooks`. */
  path: string
  section: string
  /** Where it lies on this machine. */
  file: string
  /** Where it is shown on its project's site; relative links in it start from there. */
  address: string
  /** Whose words these are: `fastify 5.0.0`. */
  project: string
  /** What the project writes above every document's own title. */
  banner?: string
}

/** An image that lies beside the documents. */
export interface ImageSource {
  /** What follows `/files/`. */
  path: string
  file: string
  address: string
}

export interface Sources {
  documents: DocumentSource[]
  images: ImageSource[]
}

interface Manifest {
  name: string
  version: string
  repository: { url: string; directory?: string }
}

const imageTypes = new Set(['.svg', '.png', '.jpg', '.jpeg', '.gif', '.webp', '.avif'])

/** Names every document there is. Only the names: nobody has read a line of them after this. */
export function findSources(): Sources {
  const require = createRequire(import.meta.url)
  const fastify = require.resolve('fastify/package.json')
  const renderer = require.resolve('@scratchyjs/renderer/package.json')
  // The other four packages are the renderer's dependencies, not this app's.
  const lower = createRequire(renderer)
  const packages = ['ring-buffer', 'shared-buffer', 'redis-transport', 'cache-invalidation'].map(name =>
    lower.resolve(`@scratchyjs/${name}/package.json`),
  )
  const { documents, images } = fastifyDocs(fastify)
  return { documents: [...[renderer, ...packages].flatMap(packageReadme), ...documents], images }
}

/** The paths that `/docs/` knows. */
export const documentPaths = (sources: Sources): Set<string> =>
  new Set(sources.documents.map(document => document.path))

function packageReadme(manifestFile: string): DocumentSource[] {
  const file = join(dirname(manifestFile), 'README.md')
  if (!existsSync(file)) return []
  const manifest = readManifest(manifestFile)
  return [
    {
      path: `packages/${manifest.name.replace(/^@[^/]+\//, '')}`,
      section: 'scratchyjs packages',
      file,
      address: `${repositoryAddress(manifest)}/blob/HEAD/${manifest.repository.directory}/README.md`,
      project: `${manifest.name} ${manifest.version}`,
    },
  ]
}

function fastifyDocs(manifestFile: string): Sources {
  const docs = join(dirname(manifestFile), 'docs')
  const manifest = readManifest(manifestFile)
  const site = `${repositoryAddress(manifest)}/blob/v${manifest.version}/docs`
  const project = `${manifest.name} ${manifest.version}`
  const documents: DocumentSource[] = []
  const images: ImageSource[] = []
  const names = readdirSync(docs, { recursive: true, encoding: 'utf8' }).sort()
  for (const name of [...names.filter(isTop), ...names.filter(name => !isTop(name))]) {
    const file = join(docs, name)
    const relative = name.split(sep).join('/')
    const address = `${site}/${relative}`
    if (relative.endsWith('.md')) {
      const path = relative.slice(0, -'.md'.length)
      // The one document above the folders introduces both, and the guides come first.
      const folder = isTop(name) ? 'Guides' : relative.slice(0, relative.indexOf('/'))
      const section = `Fastify ${folder.toLowerCase()}`
      documents.push({ path, section, file, address, project, banner: 'Fastify' })
    } else if (imageTypes.has(extname(relative).toLowerCase())) {
      images.push({ path: `fastify/${relative}`, file, address })
    }
  }
  return { documents, images }
}

const isTop = (name: string): boolean => !name.includes(sep)

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(pathToFileURL(file), 'utf8'))

const repositoryAddress = ({ repository }: Manifest): string =>
  repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
