import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import ts from 'typescript'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startRedis } from '../redis.js'
import { askRedis, startCluster, startSentinel, startTlsRedis } from '../redis-topologies.js'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

describe('a cluster', () => {
  it('has three masters, which serve every slot and send a client to the right one', async () => {
    const { nodes, addresses, stop } = await startCluster({ args: ['--user', 'limited', 'on', 'nopass'] })
    stops.push(stop)
    expect(addresses).toEqual(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    for (const { port } of nodes) {
      const info = await askRedis(port, 'CLUSTER', 'INFO')
      expect(info).toContain('cluster_slots_ok:16384')
      expect(await askRedis(port, 'ACL', 'LIST')).toContain('user limited on')
    }
    // Slots 12182, 5061 and 866.
    const answers = new Set<string>()
    for (const key of ['foo', 'bar', 'hello']) {
      const replies = await Promise.all(
        nodes.map(({ port }) => askRedis(port, 'SET', key, 'x').catch(error => error.message as string)),
      )
      expect(replies.filter(reply => reply === '+OK')).toHaveLength(1)
      expect(replies.filter(reply => / -MOVED \d+ 127\.0\.0\.1:/.test(reply))).toHaveLength(2)
      answers.add(String(replies.indexOf('+OK')))
    }
    expect(answers).toEqual(new Set(['2', '0']))
  })
})

describe('a sentinel', () => {
  it('makes the replica the master when the master is told to go, and when it dies', async () => {
    const group = await startSentinel()
    stops.push(group.stop)
    const sentinel = Number(group.sentinels[0]?.port)
    const [first, second] = [group.master, group.replica]
    expect(await askRedis(first.port, 'SET', 'a', '1')).toBe('+OK')
    await vi.waitFor(async () => expect(await askRedis(second.port, 'GET', 'a')).toBe('$1\r\n1'), 5000)
    await expect(askRedis(second.port, 'SET', 'a', '2')).rejects.toThrow(/READONLY/)

    await group.failover({ kill: false })
    expect([group.master.port, group.replica.port]).toEqual([second.port, first.port])
    await expect(askRedis(first.port, 'SET', 'a', '2')).rejects.toThrow(/READONLY/)
    expect(await askRedis(second.port, 'GET', 'a')).toBe('$1\r\n1')

    await group.failover()
    expect(group.master.port).toBe(first.port)
    await expect(askRedis(second.port, 'PING')).rejects.toThrow(/ECONNREFUSED/)
    expect(await askRedis(first.port, 'SET', 'a', '3')).toBe('+OK')
    expect(await askRedis(sentinel, 'SENTINEL', 'get-master-addr-by-name', group.name)).toContain(
      `${first.port}`,
    )
  })
})

describe('a server with TLS', () => {
  const ask = async (port: number, ca?: string): Promise<string> => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...(ca ? { ca } : {}) })
    await once(socket, 'secureConnect')
    socket.write('PING\r\n')
    const [reply] = await once(socket, 'data')
    socket.destroy()
    return String(reply)
  }

  it('answers those that trust its certificate, and nobody without TLS', async () => {
    const server = await startTlsRedis()
    stops.push(server.stop)
    expect(server.url).toBe(`rediss://127.0.0.1:${server.port}`)
    expect(await ask(server.port, server.ca)).toBe('+PONG\r\n')
    await expect(ask(server.port)).rejects.toThrow(/self-signed/)
    await expect(askRedis(server.port, 'PING')).rejects.toThrow()
  })
})

it('a server ends with the process that started it, however that ended', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'scratchy-starter-'))
  stops.push(() => rm(dir, { recursive: true }))
  const source = await readFile(new URL('../redis.ts', import.meta.url), 'utf8')
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext } })
  await writeFile(join(dir, 'redis.mjs'), outputText)
  await writeFile(
    join(dir, 'starter.mjs'),
    "import { startRedis } from './redis.mjs'\nprocess.send((await startRedis()).port)",
  )
  const starter = fork(join(dir, 'starter.mjs'))
  const [port] = await once(starter, 'message')
  expect(await askRedis(port, 'PING')).toBe('+PONG')
  starter.kill('SIGKILL')
  await vi.waitFor(() => expect(askRedis(port, 'PING')).rejects.toThrow(/ECONNREFUSED/), 5000)
})

describe('a server with users', () => {
  it('takes them from its arguments', async () => {
    const rules = ['on', '>secret', '~render:*', '+getdel']
    const server = await startRedis({ args: ['--user', 'worker', ...rules] })
    stops.push(server.stop)
    expect(await askRedis(server.port, 'ACL', 'LIST')).toMatch(/user worker on .*~render:\* .*\+getdel/)
    await askRedis(server.port, 'ACL', 'SETUSER', 'worker', '-getdel')
    expect(await askRedis(server.port, 'ACL', 'LIST')).not.toContain('+getdel')
  })

  it('an answer that is an error is thrown, and so is a server that is gone', async () => {
    const server = await startRedis()
    await expect(askRedis(server.port, 'NONSENSE')).rejects.toThrow(/NONSENSE at port \d+: -ERR unknown/)
    await server.stop()
    await expect(askRedis(server.port, 'PING')).rejects.toThrow(/ECONNREFUSED/)
  })
})
