// Keeps the dashboard's numbers and curves up to date while somebody looks at them.

const everyMs = 2000
const refreshed = document.querySelector('[data-refresh]')

function show(stats) {
  for (const element of document.querySelectorAll('[data-stat]')) {
    const value = element.dataset.stat.split('.').reduce((part, name) => part?.[name], stats)
    element.textContent =
      typeof value === 'number' ? format(value, Number(element.dataset.digits)) : (value ?? '–')
  }
  for (const curve of document.querySelectorAll('[data-series]')) {
    curve.setAttribute('points', curvePoints(stats.history.map(sample => sample[curve.dataset.series])))
  }
}

const format = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** As in src/pages/dashboard.tsx: sixty places, the newest at the right. */
function curvePoints(values) {
  const top = Math.max(...values, 1e-9)
  return values
    .map((value, index) => `${(60 - values.length + index) * 2},${(29 - (27 * value) / top).toFixed(1)}`)
    .join(' ')
}

async function refresh() {
  try {
    const response = await fetch('/api/stats', { signal: AbortSignal.timeout(10_000) })
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
      outcome.textContent = response.ok ? 'Every server has been told.' : answer.error
    } catch {
      outcome.textContent = 'The server doesn’t answer.'
    }
    refresh()
  })
}
