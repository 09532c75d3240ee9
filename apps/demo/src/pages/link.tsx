import { type ComponentProps, type ReactNode, useContext } from 'react'
import { CurrentSite } from '../site.js'

/** A link to a route of the portal, as the page's site writes it. */
export function Link({ to, ...rest }: { to: string } & Omit<ComponentProps<'a'>, 'href'>): ReactNode {
  return <a href={useContext(CurrentSite).address(to)} {...rest} />
}
