import type { ReactNode } from 'react'
import type { Entry } from '../catalogue.js'
import type { DashboardStats, InvalidationStats, Sample } from '../stats.js'
import type { PageView } from './layout.js'
import { Link } from './link.js'
import { Servers } from './servers.js'
import { Value } from './value.js'

export function dashboardPage(stats: DashboardStats, entries: readonly Entry[]): PageView {
  return {
    title: 'Dashboard',
    description: 'What this server does at the moment, and what a page costs its main thread.',
    wide: true,
    script: 'dashboard.js',
    content: <Dashboard stats={stats} entries={entries} />,
  }
}

function Dashboard({ stats, entries }: { stats: DashboardStats; entries: readonly Entry[] }): ReactNode {
  const { renderer, history, invalidation } = stats
  return (
    <div className="dashboard" data-server={stats.server}>
      <h1>Dashboard</h1>
      <p className="lede">
        {stats.server}, started <Value of={stats.uptimeSeconds} path="uptimeSeconds" /> seconds ago.{' '}
        <span data-refresh>Reload the page for newer values.</span>
      </p>

      <section className="tiles" aria-label="Now">
        <Tile
          title="Requests"
          history={history}
          series="requestsPerSecond"
          note="per second, last two minutes"
        >
          <Value of={stats.requests} path="requests" />
        </Tile>
        <Tile
          title="From the cache"
          history={history}
          series="cachedPercent"
          note="of the pages that may be kept"
        >
          <Value of={stats.cachedPercent} path="cachedPercent" unit="%" />
        </Tile>
        <Tile
          title="Main thread per page"
          history={history}
          series="mainThreadMsPerPage"
          note="when a worker renders"
        >
          <Value of={stats.inWorkers.msPerPage} path="inWorkers.msPerPage" digits={2} unit="ms" />
        </Tile>
        <Tile
          title="Render time, p50"
          history={history}
          series="renderP50"
          note={
            <>
              p99 <Value of={renderer.renderMs.p99} path="renderer.renderMs.p99" digits={1} unit="ms" />
            </>
          }
        >
          <Value of={renderer.renderMs.p50} path="renderer.renderMs.p50" digits={1} unit="ms" />
        </Tile>
      </section>

      <section className="panel" aria-labelledby="servers">
        <h2 id="servers">{stats.servers.length > 1 ? 'Servers' : 'This server'}</h2>
        <Servers stats={stats} />
      </section>

      <section className="panel" aria-labelledby="compare">
        <h2 id="compare">What a page costs the main thread</h2>
        <p>
          Any document can be rendered on the main thread instead: put <code>?in=thread</code> behind its
          address. The bytes are the same; meanwhile, this server answers nobody else. Open{' '}
          <a href="/docs/Reference/Server">a big document</a> and{' '}
          <a href="/docs/Reference/Server?in=thread">the same on the main thread</a>, then come back.
        </p>
        <div className="table">
          <table>
            <thead>
              <tr>
                <th scope="col">Rendered</th>
                <th scope="col">Pages</th>
                <th scope="col">Main thread, each</th>
                <th scope="col">Main thread, all</th>
              </tr>
            </thead>
            <tbody>
              <Cost name="in workers" path="inWorkers" stats={stats} />
              <Cost name="not at all: from the cache" path="fromCache" stats={stats} />
              <Cost name="on the main thread" path="onMainThread" stats={stats} />
            </tbody>
          </table>
        </div>
      </section>

      <section className="panel" aria-labelledby="renderer">
        <h2 id="renderer">Renderer</h2>
        <dl className="facts">
          <Fact name="Renders failed">
            <Value of={renderer.errors} path="renderer.errors" />
          </Fact>
          <Fact name="Renders nobody waited for">
            <Value of={renderer.cancelled} path="renderer.cancelled" />
          </Fact>
          <Fact name="Workers replaced">
            <Value of={renderer.workers.restarts} path="renderer.workers.restarts" />
          </Fact>
          <Fact name="Time in the queue, latest">
            <Value of={renderer.queue.waitMs} path="renderer.queue.waitMs" digits={1} unit="ms" />
          </Fact>
          <Fact name="Slots in use">
            <Value of={renderer.slots.inUse} path="renderer.slots.inUse" /> of{' '}
            <Value of={renderer.slots.total} path="renderer.slots.total" />
          </Fact>
          <Fact name="Most slots at once">
            <Value of={renderer.slots.highWater} path="renderer.slots.highWater" />
          </Fact>
          <Fact name="Pages through shared memory">
            <Value of={renderer.transport.shared} path="renderer.transport.shared" />
          </Fact>
          <Fact name="Pages as messages">
            <Value of={renderer.transport.payload} path="renderer.transport.payload" />
          </Fact>
          <Fact name="Contexts through Redis">
            <Value of={renderer.transport.redis} path="renderer.transport.redis" />
          </Fact>
        </dl>
      </section>

      <section className="panel" aria-labelledby="changed">
        <h2 id="changed">When a document changes</h2>
        <p>
          Its page and the index are dropped from the cache, on every server with the same{' '}
          <code>REDIS_URL</code>. Programs publish a document’s path with{' '}
          <Link to="/docs/packages/cache-invalidation">@scratchyjs/cache-invalidation</Link>; people choose it
          here.
        </p>
        <form data-invalidate hidden className="invalidate">
          <label>
            Document{' '}
            <select name="key">
              {entries.map(({ source, title }) => (
                <option key={source.path} value={source.path}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Drop its pages</button>
          <output data-outcome />
        </form>
        {invalidation ? (
          <Invalidation stats={invalidation} />
        ) : (
          <p>
            This server runs alone. Start several with the same <code>REDIS_URL</code>, and they share their
            pages too.
          </p>
        )}
      </section>
    </div>
  )
}

function Invalidation({ stats }: { stats: InvalidationStats }): ReactNode {
  return (
    <dl className="facts">
      <Fact name="Subscription">
        <span data-stat="invalidation.subscription">{stats.subscription}</span>
      </Fact>
      <Fact name="Paths published">
        <Value of={stats.received} path="invalidation.received" />
      </Fact>
      <Fact name="Everything dropped">
        <Value of={stats.flushes} path="invalidation.flushes" />
      </Fact>
    </dl>
  )
}

function Tile(props: {
  title: string
  note: ReactNode
  history: Sample[]
  series: keyof Sample
  children: ReactNode
}): ReactNode {
  const { title, note, history, series, children } = props
  return (
    <div className="tile">
      <h2>{title}</h2>
      <p className="tile-value">{children}</p>
      <svg className="curve" viewBox="0 0 118 30" preserveAspectRatio="none" aria-hidden="true">
        <polyline data-series={series} points={curvePoints(history.map(sample => sample[series]))} />
      </svg>
      <p className="tile-note">{note}</p>
    </div>
  )
}

/** Sixty places, the newest at the right; assets/dashboard.js draws on in the same way. */
function curvePoints(values: number[]): string {
  const top = Math.max(...values, 1e-9)
  return values
    .map((value, index) => `${(60 - values.length + index) * 2},${(29 - (27 * value) / top).toFixed(1)}`)
    .join(' ')
}

function Cost({
  name,
  path,
  stats,
}: {
  name: string
  path: 'inWorkers' | 'fromCache' | 'onMainThread'
  stats: DashboardStats
}): ReactNode {
  const { pages, msPerPage, mainThreadMs } = stats[path]
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <Value of={pages} path={`${path}.pages`} />
      </td>
      <td>
        <Value of={msPerPage} path={`${path}.msPerPage`} digits={2} unit="ms" />
      </td>
      <td>
        <Value of={mainThreadMs} path={`${path}.mainThreadMs`} unit="ms" />
      </td>
    </tr>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
