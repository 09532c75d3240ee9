import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Service {
  image: string
  build?: { context: string; dockerfile: string }
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck: { test: string[] }
}

describe('docker-compose.yml', () => {
  const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(
    readFileSync(`${root}docker-compose.yml`, 'utf8'),
    { merge: true },
  )
  const { dragonfly, 'demo-1': first, 'demo-2': second, balancer } = compose.services

  it('has DragonflyDB with a volume, two demo servers that use it, and a balancer, each with a health check', () => {
    expect(Object.keys(compose.services)).toEqual(['dragonfly', 'demo-1', 'demo-2', 'balancer'])
    for (const service of Object.values(compose.services)) expect(service.healthcheck.test[0]).toBe('CMD')
    const [volume = ''] = dragonfly?.volumes?.[0]?.split(':') ?? []
    expect(compose.volumes).toHaveProperty(volume)
    expect(second).toEqual(first)
    expect(first?.environment).toMatchObject({ HOST: '0.0.0.0', REDIS_URL: 'redis://dragonfly:6379' })
    expect(first?.depends_on).toEqual({ dragonfly: { condition: 'service_healthy' } })
    expect(balancer?.depends_on).toEqual({
      'demo-1': { condition: 'service_healthy' },
      'demo-2': { condition: 'service_healthy' },
    })
    expect(balancer?.ports).toEqual(['127.0.0.1:8080:80'])
  })

  it('names files that exist, and a balancer that knows both servers at their port', () => {
    expect(existsSync(`${root}${first?.build?.dockerfile}`)).toBe(true)
    const [config = ''] = balancer?.volumes?.[0]?.split(':') ?? []
    const servers = [...readFileSync(`${root}${config}`, 'utf8').matchAll(/^ {2}server (\S+)/gm)]
    expect(servers.map(match => match[1])).toEqual(['demo-1:3000', 'demo-2:3000'])
    expect(first?.environment?.PORT).toBe('3000')
  })
})

describe('the same topology as processes', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>
  const servers: { process: ChildProcess; url: string }[] = []

  beforeAll(async () => {
    redis = await startRedis()
    for (let i = 0; i < 2; i++) {
      const server = spawn(process.execPath, [`${root}apps/demo/dist/main.js`], {
        env: { ...process.env, PORT: '0', REDIS_URL: redis.url },
      })
      let printed = ''
      server.stdout.on('data', chunk => {
        printed += chunk
      })
      server.stderr.on('data', chunk => {
        printed += chunk
      })
      const url = () => /http:\/\/\S+/.exec(printed)?.[0]
      await vi.waitFor(() => expect(url(), printed).toBeDefined(), { timeout: 60_000, interval: 50 })
      servers.push({ process: server, url: url() as string })
    }
  })

  afterAll(async () => {
    for (const { process: server } of servers) {
      if (server.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit')
    }
    await redis?.stop()
  })

  const page = async (i: number) => {
    const response = await fetch(`${servers[i]?.url}/docs/Reference/Hooks`)
    return { age: response.headers.get('age'), html: await response.text() }
  }

  it('drops a page on both servers when one of them is told, and both serve the same one', async () => {
    const kept = await page(1)
    expect(kept.html).toContain('<h1')
    expect(await page(1), 'from the cache').toMatchObject({ age: expect.stringMatching(/^\d+$/) })
    const answer = await fetch(`${servers[0]?.url}/api/invalidate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys: ['Reference/Hooks'] }),
    })
    expect(answer.status).toBe(200)
    await vi.waitFor(async () => expect(await page(1), 'rendered anew').toMatchObject({ age: null }), 10_000)
    expect((await page(0)).html).toBe(kept.html)
  })

  it('goes on with one server when the other is stopped', async () => {
    const [first, second] = servers
    first?.process.kill('SIGTERM')
    expect(await once(first?.process as ChildProcess, 'exit')).toEqual([0, null])
    expect((await fetch(`${second?.url}/healthz`)).status).toBe(200)
  })
})
