import { createContext } from 'react'
import { assetsRoute } from './assets.js'
import { imagesRoute } from './links.js'

/** How a page writes where another route of the portal is: `/docs/Reference/Hooks#onsend`, `/`. */
export type Address = (route: string) => string

/** What a page is part of. */
export interface Site {
  /** A server answers: there is a search and a dashboard. */
  isLive: boolean
  address: Address
}

export const liveSite: Site = { isLive: true, address: route => route }

/**
 * A static site, as the page of this route sees it. Its links are relative, so that it works in any folder of any file
 * server, and name folders, whose index.html is the page. Only a page that is a file of its own, which stands for
 * addresses at any depth (404.html), has links from the root.
 */
export function staticSite(own: string): Site {
  const up = own.endsWith('.html') ? '/' : `./${'../'.repeat(own.split('/').filter(Boolean).length)}`
  return {
    isLive: false,
    address(route) {
      const [path = '', hash] = route.split('#', 2)
      const isFile = path.startsWith(assetsRoute) || path.startsWith(imagesRoute)
      const folder = isFile || path === '/' ? path : `${path}/`
      return up + folder.slice(1) + (hash === undefined ? '' : `#${hash}`)
    },
  }
}

/** The site of the page that is being rendered. */
export const CurrentSite: React.Context<Site> = createContext(liveSite)
