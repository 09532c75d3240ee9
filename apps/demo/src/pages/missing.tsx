import type { PageView } from './layout.js'
import { Link } from './link.js'

export function missingPage(): PageView {
  return {
    title: 'Not found',
    description: 'There is no page at this address.',
    content: (
      <div className="notice">
        <p className="notice-code">404</p>
        <h1>There is no page here</h1>
        <p>
          The address names no document. Look through <Link to="/">all documents</Link>, or search for a
          heading above.
        </p>
      </div>
    ),
  }
}
