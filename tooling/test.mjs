import './node-version.mjs'
import { pnpm } from './pnpm.mjs'
import { step, stopOnSignal } from './run.mjs'
import { ensureChromium, ensureRedis } from './services.mjs'

stopOnSignal()
const started = performance.now()
try {
  await step('Installing dependencies', () => pnpm(['install', '--frozen-lockfile'], { quiet: true }))
  const env = await step('Finding redis-server and Chromium', async () => ({
    REDIS_SERVER: await ensureRedis(),
    CHROMIUM_PATH: await ensureChromium(),
  }))
  const turbo = (/** @type {string[]} */ ...args) => pnpm(['turbo', 'run', ...args], { env })
  await step('Building', () => turbo('build', '--output-logs=errors-only'))
  await step('Linting', () => pnpm(['run', 'checks'], { env }))
  await step('Checking types and package exports', () =>
    turbo('typecheck', 'package-lint', '--output-logs=errors-only'),
  )
  await step('Testing', () => turbo('test', '--concurrency=1', '--output-logs=full', '--log-order=stream'))
} catch (error) {
  console.error(`✗ ${/** @type {Error} */ (error).message}`)
  process.exit(1)
}
console.log(`✓ All passed in ${((performance.now() - started) / 1000).toFixed(0)} s`)
