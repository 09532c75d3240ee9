import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The portal as its users start it: a process of its own. */
export interface PortalProcess {
  url: string
  port: number
  child: ChildProcess
  /** What it has printed until now, both streams. */
  output(): string
  /** Sends a signal, SIGTERM by default; resolves with how it ended. Kills it after 10 s. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; ms: number }>
}

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Starts `node dist/main.js` on a free port; resolves when it has printed where it listens. */
export async function startPortal(
  env: NodeJS.ProcessEnv = {},
  { main = built }: { main?: string } = {},
): Promise<PortalProcess> {
  const { child, output, exited } = spawnPortal({ PORT: '0', ...env }, main)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const printed = /http:\/\/\S+/.exec(output())
      if (printed) resolve(printed[0])
    })
    exited.then(code => reject(new Error(`the portal exited with code ${code}:\n${output()}`)))
  })
  return {
    url,
    port: Number(new URL(url).port),
    child,
    output,
    async stop(signal = 'SIGTERM') {
      const started = performance.now()
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      const code = await exited
      clearTimeout(timer)
      return { code, ms: performance.now() - started }
    },
  }
}

/** Runs `node dist/main.js` to its end. */
export async function runPortal(
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, exited } = spawnPortal(env, built)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', chunk => (stdout += chunk))
  child.stderr?.on('data', chunk => (stderr += chunk))
  return { code: await exited, stdout, stderr }
}

function spawnPortal(env: NodeJS.ProcessEnv, main: string) {
  const { PORT, HOST, REDIS_URL, ...inherited } = process.env
  const child = spawn(process.execPath, [main], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killWithTests = () => child.kill('SIGKILL')
  process.once('exit', killWithTests)
  let output = ''
  child.stdout?.on('data', chunk => (output += chunk))
  child.stderr?.on('data', chunk => (output += chunk))
  const exited = new Promise<number | null>(resolve =>
    child.once('close', code => {
      process.removeListener('exit', killWithTests)
      resolve(code)
    }),
  )
  return { child, output: () => output, exited }
}
