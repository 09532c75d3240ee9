import { EventEmitter } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { message, messages } from '../test/padded.js'

test('I17: a peer keeps no ring whose waits are over', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const peer = new EventEmitter()
  const useRing = async (): Promise<WeakRef<SharedArrayBuffer>> => {
    const { buffer, sender, receiver } = messages(24, { peer })
    const waiting = receiver.receiveAsync()
    sender.trySend(message(1))
    await waiting
    return new WeakRef(buffer)
  }
  const used = await useRing()
  const kept = () => used.deref() !== undefined
  for (let turn = 0; turn < 10 && kept(); turn++) {
    await new Promise(resolve => setImmediate(resolve))
    collect()
  }
  expect(kept()).toBe(false)
  expect(peer.listenerCount('exit')).toBe(1)
})
