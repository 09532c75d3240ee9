import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { CaseList } from './contract-case.js'
import { eventually, within } from './waiting.js'

const oddKeys = [
  ' ',
  '\n\r\t',
  '\0\u0001\u00ff',
  '"quoted\\"',
  "it's",
  '{"keys":["x"]}',
  '*',
  '__proto__',
  'constructor',
  'ключ/鍵/🔑',
  'e\u0301 is not \u00e9',
  'k'.repeat(8192),
]
const malformed = [
  '',
  'no JSON',
  '[]',
  'null',
  '{"keys":"a"}',
  '{"keys":[1]}',
  '{"keys":[]}',
  '\ud800',
  'x'.repeat(2e6),
]

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)

/** Nothing more comes: long enough for what is under way. */
const quietMs = 200

export const busCases: CaseList = {
  'every key of every message arrives': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      for (const key of numbered('k', 50)) await channel.publish(key, `${key}b`, `${key}c`)
      await channel.arrived(received)
    },
  },
  'keys arrive in the order in which they were published': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      const keys = numbered('k', 100)
      for (const key of keys) await channel.publish(key)
      await eventually(channel.arrivalMs, () => assert.deepEqual(received.keys, keys))
    },
  },
  'a thousand keys of one call arrive': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      await channel.publish(...numbered('k', 1000))
      await channel.arrived(received)
    },
  },
  'a key that is published again arrives again': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      const count = () => received.keys.filter(key => key === 'again').length
      await channel.publish('again')
      await eventually(channel.arrivalMs, () => assert(count() >= 1, 'it arrived'))
      const before = count()
      await channel.publish('again')
      await eventually(channel.arrivalMs, () => assert(count() > before, 'it arrived again'))
    },
  },
  'keys of odd shapes arrive as they were': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      await channel.publish(...oddKeys)
      await eventually(channel.arrivalMs, () => assert.deepEqual(received.keys, oddKeys))
    },
  },
  'every subscriber gets the keys of its channel, and no others': {
    needs: ['subscriber'],
    async run(channel) {
      const other = channel.other()
      const [first, second, elsewhere] = await Promise.all([
        channel.subscribe(),
        channel.subscribe(),
        other.subscribe(),
      ])
      await channel.publish('here')
      await other.publish('there')
      await channel.arrived(first, second)
      await other.arrived(elsewhere)
      assert.deepEqual([first.keys, second.keys, elsewhere.keys], [['here'], ['here'], ['there']])
    },
  },
  'messages that are none harm nothing': {
    needs: ['subscriber', 'publishRaw'],
    async run(channel) {
      const received = await channel.subscribe()
      for (const message of [...malformed, new Uint8Array([0xff, 0xfe, 0])]) await channel.publishRaw(message)
      await channel.publish('good')
      await channel.arrived(received)
      assert.deepEqual(received.keys, ['good'])
    },
  },
  'a handler is not called while it is at work': {
    needs: ['subscriber'],
    async run(channel) {
      let running = 0
      let most = 0
      const received = await channel.subscribe(async () => {
        running += 1
        most = Math.max(most, running)
        await delay(5)
        running -= 1
      })
      for (const key of numbered('k', 20)) await channel.publish(key)
      await channel.arrived(received)
      assert.equal(most, 1, 'calls at the same time')
    },
  },
  'keys that a handler failed to take come again, or everything is flushed': {
    needs: ['subscriber'],
    async run(channel) {
      let failures = 1
      const received = await channel.subscribe(async () => {
        failures -= 1
        if (failures >= 0) throw new Error('the handler of the contract fails once')
      })
      await channel.publish('a')
      await channel.publish('b')
      await channel.arrived(received)
    },
  },
  'after close nothing is handed over, and closing is quick': {
    needs: ['subscriber'],
    async run(channel) {
      const received = await channel.subscribe()
      await within(channel.closeMs, 'close', received.close())
      await channel.publish('late')
      await delay(quietMs)
      assert.deepEqual(received.keys, [])
    },
  },
  'keys published during a break are replayed, or everything is flushed': {
    needs: ['subscriber', 'network'],
    async run(channel) {
      const received = await channel.subscribe()
      await channel.publish('before')
      await channel.arrived(received)
      await channel.cut()
      for (const key of numbered('missed', 20)) await channel.publish(key)
      await delay(quietMs)
      await channel.restore()
      await channel.arrived(received)
      await channel.publish('after')
      await channel.arrived(received)
    },
  },
  'none of a burst is lost around a break': {
    needs: ['subscriber', 'network'],
    async run(channel) {
      const received = await channel.subscribe()
      for (const [index, key] of numbered('k', 300).entries()) {
        if (index === 100) await channel.cut()
        if (index === 200) await channel.restore()
        await channel.publish(key)
      }
      await channel.arrived(received)
    },
  },
  'closing is quick during a break': {
    needs: ['subscriber', 'network'],
    async run(channel) {
      const received = await channel.subscribe()
      await channel.cut()
      await within(channel.closeMs, 'close', received.close())
    },
  },
}
