import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Channel } from './channel.js'
import type { CaseList } from './contract-case.js'
import { Source } from './source.js'
import { within } from './waiting.js'

async function open(channel: Channel) {
  const cache = await channel.cache()
  return { cache, source: new Source(cache, channel) }
}

/** A load of `a` that is still under way when an invalidation of `a` has been heard. */
async function overtaken(channel: Channel) {
  const { source } = await open(channel)
  const late = source.askSlowly('a')
  await within(channel.arrivalMs, 'the call of the loader', late.begun)
  await source.write('a')
  await source.heard()
  return { source, late }
}

export const cacheCases: CaseList = {
  'a value is served until its key is published, and then loaded anew': {
    needs: ['cache'],
    async run(channel) {
      const { source } = await open(channel)
      await source.ask('a')
      await source.write('other')
      assert.equal(await source.ask('a'), 1, 'the version of a, that was not written')
      await source.write('a')
      await source.renewed('a')
    },
  },
  'those who ask at the same time share one load': {
    needs: ['cache'],
    async run(channel) {
      const { cache } = await open(channel)
      let loads = 0
      const load = async () => {
        loads += 1
        await delay(20)
        return loads
      }
      await Promise.all(Array.from({ length: 10 }, () => cache.getOrLoad('a', load)))
      assert.equal(loads, 1, 'loads')
    },
  },
  'an error is handed to who asked, and not stored': {
    needs: ['cache'],
    async run(channel) {
      const { cache, source } = await open(channel)
      const away = async () => {
        throw new Error('the source of the contract is away')
      }
      await assert.rejects(cache.getOrLoad('a', away), /source of the contract/)
      assert.equal(await source.ask('a'), 1)
    },
  },
  'a value whose load began before an invalidation is not stored after it': {
    needs: ['cache'],
    async run(channel) {
      const { source, late } = await overtaken(channel)
      late.end()
      await within(channel.arrivalMs, 'the answer to who asked first', late.answer)
      assert.equal(await source.ask('a'), source.version, 'the version of a that is served')
    },
  },
  'who asks after an invalidation does not wait for a load that began before it': {
    needs: ['cache'],
    async run(channel) {
      const { source, late } = await overtaken(channel)
      try {
        assert.equal(await within(channel.arrivalMs, 'the answer', source.ask('a')), source.version)
      } finally {
        late.end()
      }
    },
  },
  'a tag reaches the values that have it, and no others': {
    needs: ['cache', 'hasTags'],
    async run(channel) {
      const { source } = await open(channel)
      await source.ask('a', 'tag')
      await source.ask('b', 'other tag')
      await source.write('tag')
      await source.renewed('a', 'tag')
      assert.equal(await source.ask('b', 'other tag'), 1, 'the version of b, that has another tag')
    },
  },
  'what became stale during a break is not served after it': {
    needs: ['cache', 'network'],
    async run(channel) {
      const { source } = await open(channel)
      await source.ask('a')
      await channel.cut()
      await source.write('a')
      await delay(200)
      await channel.restore()
      await source.renewed('a')
      await source.heard()
    },
  },
  'a load that began before a break, and whose key was published in it, is not stored': {
    needs: ['cache', 'network'],
    async run(channel) {
      const { source } = await open(channel)
      const late = source.askSlowly('a')
      await within(channel.arrivalMs, 'the call of the loader', late.begun)
      await channel.cut()
      await source.write('a')
      await delay(200)
      await channel.restore()
      await source.heard()
      late.end()
      await within(channel.arrivalMs, 'the answer to who asked first', late.answer)
      assert.equal(await source.ask('a'), source.version, 'the version of a that is served')
    },
  },
}
