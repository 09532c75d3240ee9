import { createCoherentCache } from '../src/index.js'
import type { ContractAdapter, ContractCache, ContractHandlers } from '../src/testing/index.js'

/** What is wrong with a bus inside this process. */
export interface Fault {
  /** The keys of which a subscriber's messages are made, instead of those that were published. */
  mangle?: () => (keys: readonly string[]) => (readonly string[])[]
  ignoresChannel?: boolean
  diesOfMalformed?: boolean
  hearsAfterClose?: boolean
  closesOnlyWithNetwork?: boolean
  cache?: (cache: ContractCache) => ContractCache
}

type Listener = (channel: string, keys: readonly string[]) => void

/** A bus that keeps the contract, but for the fault. */
export function brokenAdapter(fault: Fault): ContractAdapter {
  const listeners = new Set<Listener>()
  let isCut = false
  let isDead = false
  let missed: (() => void)[] = []
  let restored: (() => void)[] = []

  const send = (channel: string, keys: readonly string[]) => {
    const deliver = () => {
      for (const listener of listeners) if (!isDead) listener(channel, keys)
    }
    if (isCut) missed.push(deliver)
    else deliver()
  }
  const listen = (channel: string, hear: (keys: readonly string[]) => void) => {
    const mangle = fault.mangle?.() ?? (keys => [keys])
    const listener: Listener = (from, keys) => {
      if (from === channel || fault.ignoresChannel) for (const message of mangle(keys)) hear(message)
    }
    listeners.add(listener)
    return async () => {
      if (fault.closesOnlyWithNetwork && isCut) await new Promise<void>(resolve => restored.push(resolve))
      if (!fault.hearsAfterClose) listeners.delete(listener)
    }
  }
  return {
    publisher: async channel => ({ publish: async keys => send(channel, keys), close: async () => {} }),
    subscriber: async (channel, handlers) => ({ close: listen(channel, serially(handlers)) }),
    async cache(channel) {
      const cache = createCoherentCache<number>({ max: 100 })
      const close = listen(channel, keys => cache.invalidate(keys))
      const whole = { getOrLoad: cache.getOrLoad.bind(cache), close }
      return fault.cache?.(whole) ?? whole
    },
    hasTags: true,
    async publishRaw() {
      isDead ||= fault.diesOfMalformed ?? false
    },
    network: {
      cut() {
        isCut = true
      },
      restore() {
        isCut = false
        for (const deliver of missed) deliver()
        for (const resolve of restored) resolve()
        missed = []
        restored = []
      },
    },
    arrivalMs: 300,
    closeMs: 300,
  }
}

/** One message after the other, each until it is taken. */
function serially({ onInvalidate }: ContractHandlers): (keys: readonly string[]) => void {
  let last = Promise.resolve()
  return keys => {
    const take = async (): Promise<void> => {
      await Promise.resolve(keys).then(onInvalidate).catch(take)
    }
    last = last.then(take)
  }
}
