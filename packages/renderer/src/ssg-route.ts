import { RendererError } from './error.js'
import { describe } from './error-transfer.js'
import { STAGING_PREFIX } from './ssg-staging.js'

/** What Windows can't have in a name, or doesn't keep: characters, devices, dots and spaces at the end. */
const notOnWindows = /[<>:"|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

/**
 * The file that a route's page goes to, relative to the site's folder, with `/` between its names: `/` → `index.html`,
 * `/a` and `/a/` → `a/index.html`, `/a.html` → `a.html`, `/feed.xml` → `feed.xml`.
 *
 * @throws RendererError `ROUTE_REFUSED` for a route that names no file inside the folder
 */
export function fileOfRoute(route: unknown, platform: NodeJS.Platform = process.platform): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RendererError(
      'ROUTE_REFUSED',
      `Cannot make a file of the route ${describe(route)}: ${why}`,
      cause,
    )
  }
  if (typeof route !== 'string') return refuse('it is no string')
  if (!route.startsWith('/')) return refuse('it must start with /')
  if (/[?#]/.test(route)) return refuse('pages that differ in query or hash would share one file')

  const names = route
    .slice(1)
    .split('/')
    .map(name => {
      try {
        return decodeURIComponent(name)
      } catch (error) {
        return refuse(`${name} is not percent-encoded UTF-8`, error)
      }
    })
  const last = names.pop() as string
  const isFile = /.\.(?=\d*[a-z])[a-z\d]+$/i.test(last)
  if (isFile) names.push(last)
  else names.push(...(last ? [last] : []), 'index.html')

  for (const name of names) {
    if (name === '' || name === '.' || name === '..')
      return refuse(`"${name}" is no name of a file or folder`)
    if (/[/\\\p{Cc}\p{Surrogate}]/u.test(name)) {
      return refuse(`${JSON.stringify(name)} has a slash, a control character or half a character in it`)
    }
    if (platform === 'win32' && notOnWindows.test(name)) return refuse(`Windows has no files named ${name}`)
  }
  const [first = ''] = names
  if (/^[a-z]:$/i.test(first)) return refuse(`${first} is a drive of Windows`)
  if (first.startsWith(STAGING_PREFIX)) return refuse(`${STAGING_PREFIX}… are folders for unfinished files`)
  return names.join('/')
}
