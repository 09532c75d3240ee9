// Starts the portal, as the environment says. Importing it is starting it: `start` itself is in portal.ts.
import { constants } from 'node:os'
import { readSettings, SettingError } from './environment.js'
import { type Portal, start } from './portal.js'

const closeDeadlineMs = 3500

try {
  const starting = start(readSettings(process.env))
  closeOnSignal(starting)
  console.log(welcome((await starting).url))
} catch (error) {
  console.error(error instanceof SettingError ? error.message : error)
  process.exit(1)
}

/** The first signal closes the portal and ends the process with code 0, the second ends it at once. */
function closeOnSignal(portal: Promise<Portal>): void {
  let asked = false
  const stop = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    if (asked) process.exit(128 + constants.signals[signal])
    asked = true
    const exit = () => process.exit(0)
    setTimeout(exit, closeDeadlineMs)
    portal.then(({ close }) => close()).then(exit, exit)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', stop)
}

function welcome(url: string): string {
  return [
    `scratchyjs docs  ${url}`,
    `a big document   ${url}/docs/Reference/Server`,
    `all, streamed    ${url}/all`,
    `search           ${url}/search?q=hooks`,
    `dashboard        ${url}/dashboard`,
    `main thread      ${url}/docs/Reference/Server?in=thread  (the same page without a worker)`,
  ].join('\n')
}
