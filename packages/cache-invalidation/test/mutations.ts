import type { Mutation } from '@scratchyjs/tooling/mutations'
import { senderMutations } from './sender-mutations.js'

const follower = ['src/log-follower.test.ts']
const deliveries = ['src/deliveries.test.ts']
const cache = ['src/coherent-cache.test.ts']
const subscribedCache = ['test/cache-subscription.test.ts']

/** What the tests must notice, by the invariant that each breaks (INVARIANTS.md). */
export const mutations: Mutation[] = [
  // I1
  {
    name: 'no replay',
    file: 'log-follower.ts',
    replace: '#replay({ head, entries }: LogPage): boolean {',
    by: `#replay({ head, entries }: LogPage): boolean {
    if (head) {
      this.#cursor = head
      return true
    }`,
    killedBy: follower,
  },
  {
    name: 'no merge',
    file: 'log-follower.ts',
    replace: `this.#mode = 'live'
    for (const { message, entry, bytes } of waiting) {`,
    by: `this.#mode = 'live'
    for (const { message, entry, bytes } of waiting.slice(0, 0)) {`,
    killedBy: follower,
  },
  {
    name: 'known message taken again',
    file: 'log-follower.ts',
    replace: 'if (isSameLog && entry.sequence <= sequence) return true',
    by: `if (isSameLog && entry.sequence <= sequence) {
      this.#deliveries.push(message, bytes, this.#cursor)
      return true
    }`,
    killedBy: follower,
  },
  {
    name: 'gap unnoticed',
    file: 'log-follower.ts',
    replace: "if (entry.sequence !== sequence + 1 || !(isSameLog || epoch === '')) return false",
    by: "if (!(isSameLog || epoch === '')) return false",
    killedBy: follower,
  },
  {
    name: 'one page is all',
    file: 'log-follower.ts',
    replace: 'return (this.#cursor?.sequence ?? 0) >= head.sequence',
    by: 'return true',
    killedBy: follower,
  },
  {
    name: 'spilled messages forgotten',
    file: 'log-follower.ts',
    replace: 'if (this.#spilled) return false',
    by: '',
    killedBy: follower,
  },
  // I2
  {
    name: 'no epoch check',
    file: 'log-follower.ts',
    replace: "if (head.epoch !== epoch || (epoch === '' && this.#interrupted)) return 'epoch'",
    by: "if (epoch === '' && this.#interrupted) return 'epoch'",
    killedBy: follower,
  },
  {
    name: 'no trim check',
    file: 'log-follower.ts',
    replace: "return first > after + 1 ? 'trimmed' : undefined",
    by: 'return undefined',
    killedBy: follower,
    named: 'no longer holds',
  },
  {
    name: 'no server check',
    file: 'log-follower.ts',
    replace: "if (!isSame || diverged) return 'server'",
    by: "if (diverged) return 'server'",
    killedBy: follower,
  },
  {
    name: 'no divergence check',
    file: 'log-follower.ts',
    replace: "if (!isSame || diverged) return 'server'",
    by: "if (!isSame) return 'server'",
    killedBy: follower,
  },
  {
    name: 'nameless server believed',
    file: 'log-follower.ts',
    replace: 'isIdentified ? server === this.#server : !this.#interrupted',
    by: 'isIdentified ? server === this.#server : true',
    killedBy: follower,
  },
  {
    name: 'late first contact unnoticed',
    file: 'log-follower.ts',
    replace: '} else if (this.#interrupted) {',
    by: '} else if (false) {',
    killedBy: follower,
  },
  {
    name: 'unreadable log passed over',
    file: 'log-follower.ts',
    replace: "this.#flush('trimmed', head)",
    by: 'this.#cursor = head',
    killedBy: follower,
  },
  // I3
  {
    name: 'position moved before the handler',
    file: 'deliveries.ts',
    replace: `      if ('flush' in delivery) {
        await`,
    by: `      this.#position = delivery.position ?? this.#position
      if ('flush' in delivery) {
        await`,
    killedBy: [...follower, ...deliveries],
    named: 'position',
  },
  {
    name: 'failed keys dropped',
    file: 'deliveries.ts',
    replace: "this.flush('handler', this.#queue.at(-1)?.position ?? delivery.position)",
    by: '',
    killedBy: deliveries,
  },
  {
    name: 'overflow dropped',
    file: 'deliveries.ts',
    replace: "this.flush('overflow', position)",
    by: '',
    killedBy: deliveries,
  },
  // I4
  {
    name: 'no heartbeat',
    file: 'subscription.ts',
    replace: 'setInterval(() => this.#beat(), intervalMs)',
    by: 'setInterval(() => {}, intervalMs)',
    killedBy: subscribedCache,
    named: 'I4',
  },
  {
    name: 'a look without an answer forgiven',
    file: 'subscription.ts',
    replace: `      if (attempt === this.#attempt) this.#fail(error)
    } finally`,
    by: `      if (attempt < 0) this.#fail(error)
    } finally`,
    killedBy: subscribedCache,
    named: 'I4',
  },
  {
    name: 'a log that is ahead overlooked',
    file: 'log-follower.ts',
    replace: '&& page.head.sequence <= sequence',
    by: '&& sequence >= -1',
    killedBy: ['test/subscription.test.ts'],
    named: 'gets lost on a living connection',
  },
  // I5
  {
    name: 'in step before the log is read',
    file: 'subscription.ts',
    replace: `      let isLive = false
`,
    by: `      let isLive = false
      this.#agreement.confirm(performance.now())
`,
    killedBy: subscribedCache,
    named: 'I5, I8',
  },
  {
    name: 'in step after a page',
    file: 'subscription.ts',
    replace: 'if (isLive) this.#agreement.confirm(lookBegan)',
    by: 'this.#agreement.confirm(lookBegan)',
    killedBy: subscribedCache,
    named: 'I5, I8',
  },
  {
    name: 'synchronised before all is handed over',
    file: 'subscription.ts',
    replace: `      await this.#deliveries.idle()
      if (attempt !== this.#attempt) return
      this.#status`,
    by: '      this.#status',
    killedBy: subscribedCache,
    named: 'I5:',
  },
  {
    name: 'cache after the handlers',
    file: 'subscription.ts',
    replace: `      else cache.invalidate(message.keys)
      deliveries.push(message, bytes, position)`,
    by: `      deliveries.push(message, bytes, position)
      cache.invalidate(message.keys)`,
    killedBy: subscribedCache,
    named: 'I5:',
  },
  {
    name: 'flush message overheard by the cache',
    file: 'subscription.ts',
    replace: 'if (message.flush) cache.flush()',
    by: 'if (message.flush) cache.invalidate([])',
    killedBy: subscribedCache,
    named: 'message of a flush',
  },
  // I6
  {
    name: 'no fence',
    file: 'coherent-cache.ts',
    replace: 'if (this.#isLatest(copy) && !isInvalidated(copy)) this.#store(copy, value, size)',
    by: 'if (copy) this.#store(copy, value, size)',
    killedBy: cache,
  },
  {
    name: 'no fence by key',
    file: 'coherent-cache.ts',
    replace: 'this.#drop(this.#loads.get(name))',
    by: '',
    killedBy: cache,
  },
  {
    name: 'no fence by tag',
    file: 'coherent-cache.ts',
    replace: ' && !isInvalidated(copy)',
    by: '',
    killedBy: cache,
  },
  {
    name: 'no fence by flush',
    file: 'coherent-cache.ts',
    replace: 'for (const copy of this.#loads.values()) this.#endLoad(copy)',
    by: '',
    killedBy: cache,
  },
  {
    name: 'stored key kept',
    file: 'coherent-cache.ts',
    replace: 'this.#drop(this.#stored.peek(name))',
    by: '',
    killedBy: cache,
  },
  {
    name: 'stored tag kept',
    file: 'coherent-cache.ts',
    replace: 'if (isInvalidated(copy)) {',
    by: 'if (copy.pending && isInvalidated(copy)) {',
    killedBy: cache,
  },
  {
    name: 'invalidated tag peeked at',
    file: 'coherent-cache.ts',
    replace: ' || isInvalidated(copy)) return undefined',
    by: ') return undefined',
    killedBy: cache,
  },
  {
    name: 'tag forgotten with its last generation',
    file: 'tag-generations.ts',
    replace: ' && !generation.isOver',
    by: '',
    killedBy: cache,
  },
  {
    name: 'stored values survive a flush',
    file: 'coherent-cache.ts',
    replace: 'this.#stored.clear()',
    by: '',
    killedBy: cache,
  },
  {
    name: 'tags of who asks ignored',
    file: 'coherent-cache.ts',
    replace: ' || !hasTags(copy, tags)',
    by: '',
    killedBy: cache,
  },
  // I7
  {
    name: 'join across an invalidation',
    file: 'coherent-cache.ts',
    replace: `#endLoad(copy: Copy<V>): void {
    this.#loads.delete(copy.key)`,
    by: `#endLoad(copy: Copy<V>): void {
    this.#loads.set(copy.key, { ...copy })`,
    killedBy: cache,
  },
  {
    name: 'join across an invalidation of a tag',
    file: 'coherent-cache.ts',
    replace: 'if (isInvalidated(copy)) {',
    by: 'if (!copy.pending && isInvalidated(copy)) {',
    killedBy: cache,
  },
  // I8
  {
    name: 'break unnoticed by the cache',
    file: 'subscription.ts',
    replace: 'this.#agreement.lose()',
    by: '',
    killedBy: subscribedCache,
    named: 'I5, I8',
  },
  {
    name: 'staleness counted from the failure',
    file: 'agreement.ts',
    replace: 'this.#holds = false',
    by: `this.#holds = false
    this.#last = performance.now()`,
    killedBy: subscribedCache,
    named: 'I8: counts',
  },
  {
    name: 'staleness counted from the answer',
    file: 'subscription.ts',
    replace: 'if (this.#follower.agrees(page)) this.#agreement.confirm(lookBegan)',
    by: 'if (this.#follower.agrees(page)) this.#agreement.confirm(performance.now())',
    killedBy: subscribedCache,
    named: 'I8: counts',
  },
  {
    name: 'no staleness bound',
    file: 'coherent-cache.ts',
    replace: 'return now - Math.max(agreement.last, startedAt) < this.#maxStaleMs',
    by: 'return true',
    killedBy: cache,
  },
  {
    name: 'load of any age joined out of step',
    file: 'coherent-cache.ts',
    replace: 'if (this.#isCurrent(copy, now)) {',
    by: 'if (copy.pending || this.#isCurrent(copy, now)) {',
    killedBy: cache,
  },
  {
    name: 'in step before the first contact',
    file: 'agreement.ts',
    replace: '#holds = false\n  #last',
    by: '#holds = true\n  #last',
    killedBy: cache,
  },
  {
    name: 'ended subscription believed',
    file: 'subscription.ts',
    replace: `this.#leaveStep('degraded')
    this.#cache?.unfollow()`,
    by: `this.#attempt += 1
    this.#cache?.unfollow()`,
    killedBy: subscribedCache,
    named: 'one to one',
  },
  {
    name: 'values from before the subscription kept',
    file: 'coherent-cache.ts',
    replace: `this.#agreement = agreement
    this.flush()`,
    by: 'this.#agreement = agreement',
    killedBy: cache,
  },
  {
    name: 'no ttl',
    file: 'coherent-cache.ts',
    replace: 'return now - startedAt >= this.#ttlMs',
    by: 'return false',
    killedBy: cache,
  },
  // I9
  {
    name: 'no single flight',
    file: 'coherent-cache.ts',
    replace: 'of [this.#stored.get(key), this.#loads.get(key)]',
    by: 'of [this.#stored.get(key)]',
    killedBy: cache,
  },
  // I10
  {
    name: 'tags of evicted values kept',
    file: 'coherent-cache.ts',
    replace: `this.#releaseTags(copy)
        if (reason`,
    by: 'if (reason',
    killedBy: cache,
  },
  {
    name: 'tags of ended loads kept',
    file: 'coherent-cache.ts',
    replace: `this.#loads.delete(copy.key)
    this.#releaseTags(copy)`,
    by: 'this.#loads.delete(copy.key)',
    killedBy: cache,
  },
  {
    name: 'tags of overtaken loads kept',
    file: 'coherent-cache.ts',
    replace: 'if (superseded) this.#endLoad(superseded)',
    by: '',
    killedBy: cache,
  },
  {
    name: 'tags of what is too large kept',
    file: 'coherent-cache.ts',
    replace: 'if (isTooLarge) this.#releaseTags(copy)',
    by: '',
    killedBy: cache,
  },
  {
    name: 'tags that nobody has kept',
    file: 'tag-generations.ts',
    replace: 'if (generation.holders === 0 && !generation.isOver) this.#present.delete(generation.tag)',
    by: '',
    killedBy: cache,
  },
  ...senderMutations,
]
