import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { CacheNode, Load, NodeOptions, NodeState, System } from './cache-node.js'

type Call =
  | { call: 'open'; system: string; options: NodeOptions }
  | { call: 'getOrLoad'; key: string }
  | { call: 'invalidate'; keys: string[] }
  | { call: 'look' }
/** To the process: calls, and what a load answered. */
type Request = { id: number } & (Call | { loaded: number })
/** From it: that a key has to be loaded, what a call answered, or why it failed. */
type Reply = { id: number } & ({ load: string } | { answer: unknown } | { failure: string })

/** A node in a process of its own, which can be killed. */
export interface ProcessNode extends CacheNode {
  /** SIGKILL, and what was asked of it fails. */
  kill(): Promise<void>
}

/** @param entry the script that calls {@link serveNode} */
export async function openInProcess(
  entry: string,
  system: System,
  options: NodeOptions,
): Promise<ProcessNode> {
  const child = fork(entry, { env: { ...process.env, FAULTS_NODE: '1' } })
  const killWithParent = () => child.kill('SIGKILL')
  process.once('exit', killWithParent)
  const calls = new Calls(child)
  const kill = async () => {
    process.removeListener('exit', killWithParent)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await calls.make({ call: 'open', system: system.name, options })
  return {
    getOrLoad: (key, load) => calls.make({ call: 'getOrLoad', key }, load) as Promise<number>,
    invalidate: keys => calls.make({ call: 'invalidate', keys }),
    look: () => calls.make({ call: 'look' }) as Promise<NodeState>,
    kill,
    close: kill,
  }
}

/** Calls under way to a child. */
class Calls {
  #ids = 0
  #hasEnded = false
  readonly #child: ChildProcess
  readonly #open = new Map<
    number,
    { resolve: (answer: unknown) => void; reject: (error: Error) => void; load: Load | undefined }
  >()

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (reply: Reply) => void this.#take(reply))
    child.on('error', () => {})
    child.once('exit', () => {
      this.#hasEnded = true
      for (const { reject } of this.#open.values()) reject(new Error('the process has ended'))
    })
  }

  make(call: Call, load?: Load): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#ids += 1
      this.#open.set(this.#ids, { resolve, reject, load })
      this.#send({ id: this.#ids, ...call })
    })
  }

  async #take(reply: Reply): Promise<void> {
    const call = this.#open.get(reply.id)
    if (!call) return
    if ('load' in reply) {
      this.#send({ id: reply.id, loaded: (await call.load?.(reply.load)) ?? 0 })
      return
    }
    this.#open.delete(reply.id)
    if ('failure' in reply) call.reject(new Error(reply.failure))
    else call.resolve(reply.answer)
  }

  #send(request: Request): void {
    if (!this.#hasEnded && this.#child.connected) this.#child.send(request, () => {})
    else this.#open.get(request.id)?.reject(new Error('the process has ended'))
  }
}

/** In the child: does what the parent asks, until it is killed or the parent is gone. */
export function serveNode(systems: readonly System[]): void {
  let node: CacheNode | undefined
  const loads = new Map<number, (version: number) => void>()
  const send = (reply: Reply) => process.send?.(reply)
  const answer = async (request: { id: number } & Call): Promise<unknown> => {
    if (request.call === 'open') {
      const system = systems.find(({ name }) => name === request.system)
      if (!system) throw new Error(`no system is called ${request.system}`)
      node = await system.open(request.options)
      return
    }
    if (!node) throw new Error(`${request.call} was called before open`)
    if (request.call === 'invalidate') {
      await node.invalidate(request.keys)
      return
    }
    if (request.call === 'look') return node.look?.()
    return node.getOrLoad(request.key, key => {
      send({ id: request.id, load: key })
      return new Promise(resolve => loads.set(request.id, resolve))
    })
  }
  process.on('message', (request: Request) => {
    if ('loaded' in request) {
      loads.get(request.id)?.(request.loaded)
      loads.delete(request.id)
      return
    }
    answer(request).then(
      result => send({ id: request.id, answer: result }),
      error => send({ id: request.id, failure: String(error) }),
    )
  })
  process.once('disconnect', () => process.exit())
}
