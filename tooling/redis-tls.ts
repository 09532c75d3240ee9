import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, type RedisServer, startRedis } from './redis.js'

/** A redis-server that speaks TLS only. */
export interface TlsRedisServer extends RedisServer {
  /** `rediss://127.0.0.1:<port>` */
  url: string
  /** The certificate that signed itself, PEM: `tls: { ca }` makes a client trust it, and nothing else does. */
  ca: string
}

/**
 * Starts a redis-server with a certificate for 127.0.0.1 and localhost, made with `openssl` from the PATH.
 *
 * @param options.port by default a free one
 * @param options.args further arguments
 */
export async function startTlsRedis({
  port,
  args = [],
}: {
  port?: number
  args?: string[]
} = {}): Promise<TlsRedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'scratchy-tls-'))
  const key = join(dir, 'key.pem')
  const certificate = join(dir, 'certificate.pem')
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
      ...['-keyout', key, '-out', certificate],
    ])
    const listening = port ?? (await freePort())
    const server = await startRedis({
      port: listening,
      args: ['--port', '0', '--tls-port', `${listening}`]
        .concat('--tls-cert-file', certificate, '--tls-key-file', key)
        .concat('--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no')
        .concat(args),
    })
    return {
      ...server,
      url: `rediss://127.0.0.1:${listening}`,
      ca: await readFile(certificate, 'utf8'),
      async stop() {
        await server.stop()
        await rm(dir, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}
