import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A redis-server process of a test's own. */
export interface RedisServer {
  port: number
  url: string
  pid: number
  /** Sends a signal: SIGSTOP stalls it, SIGCONT wakes it. */
  signal(name: NodeJS.Signals): void
  /** Ends it and removes its folder; what it held is lost. */
  stop(): Promise<void>
}

/** A TCP port of the loopback interface that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Runs a command, and kills it when the other end of descriptor 3 closes: whoever started it has gone, in whatever way. */
const boundToStarter = '(read -r _ <&3; kill -9 $$) >/dev/null 2>&1 & exec "$0" "$@" 3<&-'

/**
 * Starts a real redis-server on the loopback interface, without persistence, ready for commands.
 *
 * @param options.port by default a free one; name one to start a server again in the place of another
 * @param options.args further arguments, as on redis-server's command line
 */
export async function startRedis({
  port,
  args = [],
}: {
  port?: number
  args?: string[]
} = {}): Promise<RedisServer> {
  const listening = port ?? (await freePort())
  const dir = await mkdtemp(join(tmpdir(), 'scratchy-redis-'))
  const command = process.env.REDIS_SERVER || 'redis-server'
  const child = spawn(
    'sh',
    [
      '-c',
      boundToStarter,
      command,
      '--port',
      `${listening}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--save',
      '',
      '--appendonly',
      'no',
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  child.once('exit', () => (child.stdio[3] as Socket).destroy())
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      let log = ''
      const onData = (chunk: Buffer) => {
        log += chunk
        if (/ready to accept connections/i.test(log)) resolve()
      }
      child.stdout?.on('data', onData)
      child.stderr?.on('data', onData)
      child.once('error', error => reject(new Error(`${command} could not be started: ${error.message}`)))
      child.once('close', code => reject(new Error(`${command} exited with code ${code}:\n${log}`)))
      setTimeout(() => reject(new Error(`${command} was not ready after 10 s:\n${log}`)), 10_000).unref()
    })
  } catch (error) {
    if (child.pid) await stop()
    throw error
  }
  return {
    port: listening,
    url: `redis://127.0.0.1:${listening}`,
    pid: child.pid as number,
    signal: name => {
      child.kill(name)
    },
    stop,
  }
}
