// Keeps the dashboard's numbers and curves up to date while somebody looks at them.

const everyMs = 2000
const unknown = '–'
const refreshed = document.querySelector('[data-refresh]')
// Behind a load balancer any server may answer: ask for the one that is shown.
const { server } = document.querySelector('[data-server]').dataset
const source = `/api/stats?${new URLSearchParams({ server })}`

function show(stats) {
  for (const element of document.querySelectorAll('[data-stat]')) {
    const text = textOf(stats, element.dataset.stat, element.dataset.digits)
    element.textContent = text
    element.toggleAttribute('data-unknown', text === unknown)
  }
  document.querySelector('[data-servers]').replaceChildren(...stats.servers.map(rowOf))
  for (const curve of document.querySelectorAll('[data-series]')) {
    curve.setAttribute('points', curvePoints(stats.history.map(sample => sample[curve.dataset.series])))
  }
}

function textOf(stats, path, digits) {
  const value = path.split('.').reduce((part, name) => part?.[name], stats)
  if (typeof value !== 'number') return value ?? unknown
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function rowOf(line) {
  const link = document.createElement('a')
  link.href = `/dashboard?${new URLSearchParams({ server: line.server })}`
  link.textContent = line.server
  if (line.server === server) link.setAttribute('aria-current', 'true')
  const head = document.createElement('th')
  head.scope = 'row'
  head.append(link)
  const row = document.createElement('tr')
  row.append(head)
  for (const { dataset } of document.querySelectorAll('[data-column]')) {
    row.insertCell().textContent = textOf(line, dataset.column, dataset.digits)
  }
  return row
}

/** As in src/pages/dashboard.tsx: sixty places, the newest at the right. */
function curvePoints(values) {
  const top = Math.max(...values, 1e-9)
  return values
    .map((value, index) => `${(60 - values.length + index) * 2},${(29 - (27 * value) / top).toFixed(1)}`)
    .join(' ')
}

async function refresh() {
  try {
    const response = await fetch(source, { signal: AbortSignal.timeout(10_000) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    show(await response.json())
    refreshed.textContent = 'Updated every two seconds.'
  } catch {
    refreshed.textContent = 'The server doesn’t answer; trying again.'
  }
}

async function keepRefreshing() {
  if (!document.hidden) await refresh()
  setTimeout(keepRefreshing, everyMs)
}
document.addEventListener('visibilitychange', () => document.hidden || refresh())
keepRefreshing()

const form = document.querySelector('[data-invalidate]')
if (form) {
  form.hidden = false
  const outcome = form.querySelector('[data-outcome]')
  form.addEventListener('submit', async event => {
    event.preventDefault()
    outcome.textContent = ''
    try {
      const response = await fetch('/api/invalidate', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ keys: [form.elements.key.value] }),
      })
      const answer = await response.json()
      outcome.textContent = response.ok ? 'Every server has dropped them.' : answer.error
    } catch {
      outcome.textContent = 'The server doesn’t answer.'
    }
    refresh()
  })
}
