import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/**
 * What runs now, each with what to signal: its process group, which is a negative number, or itself.
 *
 * @type {Map<import('node:child_process').ChildProcess, number>}
 */
const running = new Map()
let stopping = false

/**
 * Runs a command in a process group of its own, so that stopping it stops all that it started.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, quiet?: boolean, interactive?: boolean }} [options] quiet: print
 *   nothing unless it fails; interactive: it has the terminal, and so Ctrl-C, to itself
 * @returns {Promise<string>} what a quiet command printed
 */
export function run(
  command,
  args,
  { env = process.env, cwd = process.cwd(), quiet = false, interactive = false } = {},
) {
  return new Promise((resolve, reject) => {
    const output = quiet ? 'pipe' : 'inherit'
    const child = spawn(command, args, {
      cwd,
      env,
      detached: !interactive,
      stdio: [interactive ? 'inherit' : 'ignore', output, output],
    })
    if (child.pid) running.set(child, interactive ? child.pid : -child.pid)
    let printed = ''
    child.stdout?.on('data', chunk => (printed += chunk))
    child.stderr?.on('data', chunk => (printed += chunk))
    child.once('error', error => {
      running.delete(child)
      reject(new Error(`${command} could not be started: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      running.delete(child)
      // Ended by the signal that ends this process, too: nobody needs to hear that it failed.
      if (stopping) return
      if (code === 0) resolve(printed)
      else {
        if (quiet) process.stderr.write(printed)
        reject(
          new Error(
            `\`${[command, ...args].join(' ')}\` ${signal ? `was ended by ${signal}` : `exited with code ${code}`}`,
          ),
        )
      }
    })
  })
}

/** @param {NodeJS.Signals} signal */
function signalRunning(signal) {
  for (const target of running.values()) {
    try {
      process.kill(target, signal)
    } catch {
      // it has ended already
    }
  }
}

/**
 * On Ctrl-C, SIGTERM or a closed terminal: asks every running command to end, kills what is left after 3 s, and exits.
 *
 * @param {number} [exitCode] by default 128 + the signal's number, as shells do
 * @returns {() => void} gives the signals back to the caller
 */
export function stopOnSignal(exitCode) {
  /** @param {NodeJS.Signals} signal */
  const stop = signal => {
    stopping = true
    const exit = () => process.exit(exitCode ?? 128 + constants.signals[signal])
    signalRunning('SIGTERM')
    if (running.size === 0) exit()
    setTimeout(() => {
      signalRunning('SIGKILL')
      exit()
    }, 3000)
    setInterval(() => running.size === 0 && exit(), 50)
  }
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.once(signal, stop)
  return () => {
    for (const signal of signals) process.removeListener(signal, stop)
  }
}

/**
 * Says what is being done and how long it took.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const started = performance.now()
  console.log(`▸ ${what} …`)
  const result = await work()
  console.log(`✓ ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return result
}
