import './node-version.mjs'
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { run, stopOnSignal } from './run.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))
const kept = /^npm_config_(registry|cafile|ca|https?_proxy|proxy|noproxy|cache|userconfig|strict_ssl)$/i

/**
 * Runs the pnpm that package.json names, through npx: nothing has to be installed before.
 * npm's own settings are kept from it, except how to reach the registry.
 *
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean, interactive?: boolean }} [options] as of `run`
 */
export function pnpm(args, { env = {}, ...options } = {}) {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_config_/i.test(name) || kept.test(name),
  )
  return run('npx', ['--yes', packageManager, ...args], {
    cwd: root,
    env: { ...Object.fromEntries(inherited), TURBO_TELEMETRY_DISABLED: '1', ...env },
    ...options,
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  stopOnSignal()
  await pnpm(process.argv.slice(2), { interactive: true }).catch(error => {
    console.error(error.message)
    process.exit(1)
  })
}
