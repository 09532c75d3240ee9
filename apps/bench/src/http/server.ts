import Fastify from 'fastify'
import type { PageProps } from '../bench-page.js'
import { contenders, type Setting, streaming } from './contenders.js'

export interface Server {
  /** Of a page, answered by that contender. */
  url(contender: string, page: { bytes: number; ascii: boolean; made?: PageProps['made'] }): string
  /** Of an answer that takes no time to make. */
  pingUrl: string
  close(): Promise<void>
}

/** All contenders, each with threads of its own, behind one Fastify. */
export async function startServer(
  setting: Setting,
  names: string[] = Object.keys(contenders),
): Promise<Server> {
  const app = Fastify({ forceCloseConnections: true })
  const pathOf = (name: string) => `/${name.replaceAll(/\W+/g, '-')}`
  for (const name of names) {
    await app.register(async scope => void (await contenders[name]?.(scope, setting)), {
      prefix: pathOf(name),
    })
  }
  app.get('/api/ping', () => ({ pong: true }))
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url: (name, { bytes, ascii, made = streaming.has(name) ? 'parts' : 'whole' }) =>
      `${origin}${pathOf(name)}?${new URLSearchParams({ bytes: `${bytes}`, ascii: `${ascii}`, made })}`,
    pingUrl: `${origin}/api/ping`,
    close: () => app.close(),
  }
}
