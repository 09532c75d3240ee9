import type { ReactNode } from 'react'
import type { DashboardStats, ServerLine } from '../stats.js'
import { formatted } from './value.js'

interface Column {
  title: string
  /** Place in what `/api/stats` says of a server; assets/dashboard.js fills in the same table. */
  path: string
  digits?: number
  value(server: ServerLine): number | null
}

const columns: Column[] = [
  { title: 'Requests', path: 'requests', value: ({ requests }) => requests },
  { title: 'Cache hits', path: 'renderer.cache.hits', value: ({ renderer }) => renderer.cache.hits },
  { title: 'misses', path: 'renderer.cache.misses', value: ({ renderer }) => renderer.cache.misses },
  { title: 'stale', path: 'renderer.cache.stale', value: ({ renderer }) => renderer.cache.stale },
  { title: 'Renders', path: 'renderer.renders', value: ({ renderer }) => renderer.renders },
  {
    title: 'p50, ms',
    path: 'renderer.renderMs.p50',
    digits: 1,
    value: ({ renderer }) => renderer.renderMs.p50,
  },
  {
    title: 'p99, ms',
    path: 'renderer.renderMs.p99',
    digits: 1,
    value: ({ renderer }) => renderer.renderMs.p99,
  },
  { title: 'Workers', path: 'renderer.workers.count', value: ({ renderer }) => renderer.workers.count },
  { title: 'busy', path: 'renderer.workers.active', value: ({ renderer }) => renderer.workers.active },
  { title: 'Queue', path: 'renderer.queue.size', value: ({ renderer }) => renderer.queue.size },
  { title: 'Streams', path: 'renderer.streams', value: ({ renderer }) => renderer.streams },
]

/** Every server that shares the Redis, this one alone without. */
export function Servers({ stats: { server: shown, servers } }: { stats: DashboardStats }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by itself
    <section className="table" tabIndex={0} aria-label="Servers">
      <table>
        <thead>
          <tr>
            <th scope="col">Server</th>
            {columns.map(({ title, path, digits = 0 }) => (
              <th key={path} scope="col" data-column={path} data-digits={digits}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody data-servers>
          {servers.map(line => (
            <tr key={line.server}>
              <th scope="row">
                <a
                  href={`/dashboard?server=${encodeURIComponent(line.server)}`}
                  aria-current={line.server === shown ? 'true' : undefined}
                >
                  {line.server}
                </a>
              </th>
              {columns.map(({ path, digits = 0, value }) => (
                <td key={path}>{formatted(value(line), digits)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
