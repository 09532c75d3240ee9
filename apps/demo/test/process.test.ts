import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ServerStats } from '../src/stats.js'
import { type PortalProcess, runPortal, startPortal } from './portal.js'

const dist = new URL('../dist/', import.meta.url)

describe('node dist/main.js', () => {
  it('says in a few lines where it is and what to look at', async () => {
    const portal = await startPortal()
    const lines = portal.output().trim().split('\n')
    await portal.stop()
    expect(lines.length).toBeGreaterThanOrEqual(4)
    expect(lines.length).toBeLessThanOrEqual(6)
    for (const line of lines) expect(line).toContain(portal.url)
    for (const part of ['/docs/', '/search?q=', '/dashboard', '?in=thread']) {
      expect(portal.output()).toContain(part)
    }
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with code 0 on %s, soon, whatever connections are open, and frees its port',
    async signal => {
      const portal = await startPortal()
      const idle = await hold(portal, '')
      await (await fetch(`${portal.url}/docs/Reference/Hooks`)).text()
      const { code, ms } = await portal.stop(signal)
      idle.destroy()
      expect(code).toBe(0)
      expect(ms).toBeLessThan(3000)
      ;(await occupy(portal.port)).close()
    },
  )

  it('lets a page under way be finished first', async () => {
    const portal = await startPortal()
    // With a cookie, a page is rendered for its visitor alone.
    const headers = { cookie: 'rendered=anew' }
    const open = async () => (await fetch(`${portal.url}/docs/Reference/Routes`, { headers })).text()
    // The first pages of a worker take long; one is caught under way sooner or later.
    await Promise.all([open(), open(), open(), open()])
    let page = open()
    for (let tries = 0; !(await inFlight(portal)) && tries < 50; tries++) page = open()
    const [{ code }, html] = await Promise.all([portal.stop(), page])
    expect(html.endsWith('</html>\n')).toBe(true)
    expect(code).toBe(0)
  })

  it('ends within 5 s although a client does not read its page, at once on a second signal', async () => {
    for (const second of [false, true]) {
      const portal = await startPortal()
      const deaf = await hold(
        portal,
        `${'GET /docs/Reference/Server HTTP/1.1\r\nhost: x\r\ncookie: rendered=anew\r\n\r\n'.repeat(50)}`,
      )
      deaf.pause()
      await expect.poll(() => inFlight(portal), soon).toBe(true)
      if (second) {
        portal.child.kill('SIGINT')
        await later(300)
        expect(portal.child.exitCode).toBeNull()
      }
      const { code, ms } = await portal.stop('SIGINT')
      deaf.destroy()
      expect(code).toBe(second ? 130 : 0)
      expect(ms).toBeLessThan(second ? 2000 : 5000)
    }
  })

  it('says in one line that its port is taken', async () => {
    const server = await occupy(0)
    const { port } = server.address() as { port: number }
    const { code, stdout, stderr } = await runPortal({ PORT: `${port}` })
    server.close()
    expect(stderr).toBe(
      `Port ${port} is taken: set PORT to another one, for example PORT=${port + 1} npm start.\n`,
    )
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  it('says in one line that its port is none', async () => {
    const { code, stdout, stderr } = await runPortal({ PORT: 'http' })
    expect(stderr).toBe('PORT is "http": it must be a number from 0 (any free port) to 65535.\n')
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })
})

describe('the main thread', () => {
  it('loads neither Markdown parser nor highlighter nor React before it is asked to render', () => {
    const loaded = staticImports(new URL('main.js', dist))
    expect([...loaded].filter(name => /^(unified|re(mark|hype)|shiki|@shikijs|react)/.test(name))).toEqual([])
    // The same search finds them where they are.
    expect(staticImports(new URL('worker.js', dist))).toContain('unified')
  })

  it('can start the portal from another program', async () => {
    const { start } = (await import(new URL('portal.js', dist).href)) as {
      start: typeof import('../src/portal.js').start
    }
    const portal = await start({ port: 0, host: '127.0.0.1' })
    const answer = await fetch(`${portal.url}/api/ping`)
    expect(await answer.json()).toEqual({ pong: true })
    await portal.close()
    await expect(fetch(`${portal.url}/api/ping`)).rejects.toThrow()
  })
})

const soon = { timeout: 10_000, interval: 10 }

const inFlight = async ({ url }: PortalProcess): Promise<boolean> => {
  const stats = (await (await fetch(`${url}/api/stats`)).json()) as ServerStats
  return stats.renderer.slots.inUse > 0
}

/** Everything that a built file imports at once, followed through its own chunks. */
function staticImports(file: URL, seen: Set<string> = new Set()): Set<string> {
  const code = readFileSync(file, 'utf8')
  for (const [, name = ''] of code.matchAll(/^(?:import|export)\b[^;'"]*["']([^"']+)["'];?$/gm)) {
    const isNew = !seen.has(name)
    seen.add(name)
    if (isNew && name.startsWith('.')) staticImports(new URL(name, file), seen)
  }
  return seen
}

/** A connection that has sent no more than this, and stays open. */
async function hold({ port }: PortalProcess, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  await new Promise<void>(resolve => socket.write(text, () => resolve()))
  return socket
}

async function occupy(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
