import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.mjs'

/** @param {string} name a command on the PATH, or a path */
function find(name) {
  const candidates = name.includes('/')
    ? [name]
    : (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name))
  return candidates.find(file => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * The program's path: from its variable, from the PATH, or after installing it with apt or Homebrew.
 *
 * @param {{ variable: string, commands: string[], apt: string, brew: string[] }} service
 */
async function ensure({ variable, commands, apt, brew }) {
  const named = process.env[variable]
  if (named) {
    const path = find(named)
    if (!path) throw new Error(`${variable} is "${named}", which is no program that can be run.`)
    return path
  }
  const locate = () => commands.map(find).find(Boolean)
  const present = locate()
  if (present) return present

  const missing = `${commands[0]} is needed by the tests and was not found.`
  const advice = `Install it, or set ${variable} to its path.`
  try {
    if (find('apt-get')) {
      const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
      if (asRoot.length > 0 && !find('sudo')) throw new Error('not root, and no sudo')
      console.log(`  installing ${apt} with apt-get`)
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      for (const args of [
        ['update', '-qq'],
        ['install', '-y', '-qq', '--no-install-recommends', apt],
      ]) {
        const [command = '', ...rest] = [...asRoot, 'apt-get', ...args]
        await run(command, rest, { env, quiet: true })
      }
    } else if (find('brew')) {
      console.log(`  installing ${brew.join(' ')} with Homebrew`)
      await run('brew', ['install', ...brew], { quiet: true })
    }
  } catch (error) {
    throw new Error(`${missing} Installing it failed: ${/** @type {Error} */ (error).message}. ${advice}`)
  }
  const installed = locate()
  if (!installed) throw new Error(`${missing} ${advice}`)
  return installed
}

/** The redis-server to use, installed if need be. */
export const ensureRedis = () =>
  ensure({
    variable: 'REDIS_SERVER',
    commands: ['redis-server', 'valkey-server'],
    apt: 'redis-server',
    brew: ['redis'],
  })

/** The Chromium to use, installed if need be. */
export const ensureChromium = () =>
  ensure({
    variable: 'CHROMIUM_PATH',
    commands: [
      'chromium',
      'chromium-browser',
      'google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    apt: 'chromium',
    brew: ['--cask', 'chromium'],
  })
