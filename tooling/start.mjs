import './node-version.mjs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { pnpm } from './pnpm.mjs'
import { step, stopOnSignal } from './run.mjs'

/** Says now what the demo would say only after installing and building. */
async function checkPort() {
  const { PORT = '3000', HOST = '127.0.0.1' } = process.env
  const port = Number(PORT)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT is "${PORT}": it must be a number from 0 (any free port) to 65535.`)
  }
  const server = createServer().listen(port, HOST)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error
    const other = port === 65_535 ? 3000 : port + 1
    throw new Error(`Port ${port} is taken: set PORT to another one, for example PORT=${other} npm start.`)
  }
  server.close()
  await once(server, 'close')
}

const release = stopOnSignal(0)
try {
  await checkPort()
  await step('Installing dependencies', () => pnpm(['install', '--frozen-lockfile'], { quiet: true }))
  await step('Building', () => pnpm(['turbo', 'run', 'build', '--filter=@scratchyjs/demo'], { quiet: true }))
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exit(1)
}
// The demo runs in this very process, so there is none to be left behind, and answers signals itself.
const dist = new URL('../apps/demo/dist/', import.meta.url)
await import(new URL('portal.js', dist).href)
release()
await import(new URL('main.js', dist).href)
