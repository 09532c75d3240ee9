import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { CanaryProps } from './server.js'

/** Longer than anything that these tests ask for may take. */
const DEADLINE_MS = 60_000

export interface Answer {
  /** From the request to the end of the answer. */
  ms: number
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** The connection broke before the end. */
  isBroken: boolean
}

/** A request, and when its client leaves: so many milliseconds after it began, or after its first bytes. */
export interface Asking {
  path: 'page' | 'stream' | 'cached'
  props: CanaryProps
  method?: 'GET' | 'HEAD'
  headers?: Record<string, string>
  leavesAfter?: number
  leavesAfterFirst?: number
}

/** Asks a server for canaries. */
export class Client {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true })

  constructor(port: number) {
    this.#port = port
  }

  /** `undefined` when the client left. Rejects when nothing ends the request. */
  ask({ path, props, method = 'GET', headers, ...leaving }: Asking): Promise<Answer | undefined> {
    const { leavesAfter, leavesAfterFirst } = leaving
    return new Promise((resolve, reject) => {
      const began = performance.now()
      const asked = JSON.stringify(props)
      const sent = request({
        host: '127.0.0.1',
        port: this.#port,
        path: `/${path}?props=${encodeURIComponent(asked)}`,
        method,
        headers: headers ?? {},
        agent: this.#agent,
      })
      const timers: NodeJS.Timeout[] = []
      const after = (ms: number, act: () => void) => void timers.push(setTimeout(act, ms))
      const end = (settle: () => void) => {
        for (const timer of timers) clearTimeout(timer)
        settle()
      }
      const leave = () => {
        sent.destroy()
        end(() => resolve(undefined))
      }
      after(DEADLINE_MS, () => {
        sent.destroy()
        reject(new Error(`${method} ${path} ${asked} had no end after ${DEADLINE_MS} ms`))
      })
      if (leavesAfter !== undefined) after(leavesAfter, leave)
      sent.on('error', error => end(() => reject(error)))
      sent.on('response', response => {
        const chunks: Buffer[] = []
        const answer = (isBroken: boolean) => {
          const { statusCode: status = 0, headers } = response
          const ms = performance.now() - began
          end(() => resolve({ ms, status, headers, body: Buffer.concat(chunks), isBroken }))
        }
        response.on('data', chunk => {
          if (chunks.push(chunk) === 1 && leavesAfterFirst !== undefined) after(leavesAfterFirst, leave)
        })
        response.on('end', () => answer(false))
        response.on('error', () => answer(true))
      })
      sent.end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
