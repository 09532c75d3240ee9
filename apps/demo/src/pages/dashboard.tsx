import type { ReactNode } from 'react'
import type { Entry } from '../catalogue.js'
import type { InvalidationStats, Sample, ServerStats } from '../stats.js'
import type { PageView } from './layout.js'

export function dashboardPage(stats: ServerStats, entries: readonly Entry[]): PageView {
  return {
    title: 'Dashboard',
    description: 'What this server does at the moment, and what a page costs its main thread.',
    wide: true,
    script: 'dashboard.js',
    content: <Dashboard stats={stats} entries={entries} />,
  }
}

function Dashboard({ stats, entries }: { stats: ServerStats; entries: readonly Entry[] }): ReactNode {
  const { renderer, history, invalidation } = stats
  return (
    <div className="dashboard">
      <h1>Dashboard</h1>
      <p className="lede">
        <span data-stat="server">{stats.server}</span>, started{' '}
        <Value of={stats.uptimeSeconds} path="uptimeSeconds" /> seconds ago.{' '}
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
        <Tile title="Slots in use" history={history} series="slotsInUse" note="of shared memory">
          <Value of={renderer.slots.inUse} path="renderer.slots.inUse" />
          <small>
            {' of '}
            <Value of={renderer.slots.total} path="renderer.slots.total" />
          </small>
        </Tile>
      </section>

      <section className="panel" aria-labelledby="compare">
        <h2 id="compare">What a page costs the main thread</h2>
        <p>
          Any page can be rendered on the main thread instead: put <code>?in=thread</code> behind its address.
          The bytes are the same; meanwhile, this server answers nobody else. Open{' '}
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
              <Cost name="on the main thread" path="onMainThread" stats={stats} />
            </tbody>
          </table>
        </div>
      </section>

      <section className="panel" aria-labelledby="renderer">
        <h2 id="renderer">Renderer</h2>
        <dl className="facts">
          <Fact name="Renders">
            <Value of={renderer.renders} path="renderer.renders" />
          </Fact>
          <Fact name="Failed">
            <Value of={renderer.errors} path="renderer.errors" />
          </Fact>
          <Fact name="p50">
            <Value of={renderer.renderMs.p50} path="renderer.renderMs.p50" digits={1} unit="ms" />
          </Fact>
          <Fact name="p99">
            <Value of={renderer.renderMs.p99} path="renderer.renderMs.p99" digits={1} unit="ms" />
          </Fact>
          <Fact name="Workers, busy">
            <Value of={renderer.workers.active} path="renderer.workers.active" /> of{' '}
            <Value of={renderer.workers.count} path="renderer.workers.count" />
          </Fact>
          <Fact name="Workers replaced">
            <Value of={renderer.workers.restarts} path="renderer.workers.restarts" />
          </Fact>
          <Fact name="Waiting for a worker">
            <Value of={renderer.queue.size} path="renderer.queue.size" />
          </Fact>
          <Fact name="Most slots at once">
            <Value of={renderer.slots.highWater} path="renderer.slots.highWater" />
          </Fact>
          <Fact name="Through shared memory">
            <Value of={renderer.transport.shared} path="renderer.transport.shared" />
          </Fact>
          <Fact name="As messages">
            <Value of={renderer.transport.payload} path="renderer.transport.payload" />
          </Fact>
        </dl>
      </section>

      <section className="panel" aria-labelledby="servers">
        <h2 id="servers">Other servers</h2>
        {invalidation ? (
          <Invalidation stats={invalidation} entries={entries} />
        ) : (
          <p>
            This server runs alone. Start several with the same <code>REDIS_URL</code>, and they tell each
            other which documents to read again.
          </p>
        )}
      </section>
    </div>
  )
}

function Invalidation({
  stats,
  entries,
}: {
  stats: InvalidationStats
  entries: readonly Entry[]
}): ReactNode {
  return (
    <>
      <p>
        Servers with the same <code>REDIS_URL</code> tell each other which documents have changed; each of
        their workers then reads them again.
      </p>
      <dl className="facts">
        <Fact name="Subscription">
          <span data-stat="invalidation.subscription">{stats.subscription}</span>
        </Fact>
        <Fact name="Invalidations received">
          <Value of={stats.received} path="invalidation.received" />
        </Fact>
        <Fact name="Documents read again">
          <Value of={stats.reloads} path="invalidation.reloads" />
        </Fact>
        <Fact name="Everything read again">
          <Value of={stats.flushes} path="invalidation.flushes" />
        </Fact>
      </dl>
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
        <button type="submit">Read again everywhere</button>
        <output data-outcome />
      </form>
    </>
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
  path: 'inWorkers' | 'onMainThread'
  stats: ServerStats
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

/** A number that assets/dashboard.js keeps up to date: `path` is its place in what `/api/stats` answers. */
function Value({
  of,
  path,
  digits = 0,
  unit,
}: {
  of: number | null
  path: string
  digits?: number
  unit?: string
}): ReactNode {
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return (
    <>
      <span data-stat={path} data-digits={digits}>
        {of === null ? '–' : format.format(of)}
      </span>
      {unit && <small> {unit}</small>}
    </>
  )
}
