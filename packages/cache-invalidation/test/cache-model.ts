import { Agreement } from '../src/agreement.js'
import { FencedCache } from '../src/coherent-cache.js'

/** What is read from the source: which version, and when. */
interface Read {
  version: number
  at: number
}
/** What is published for a write, and the versions that whoever hears it may rely on. */
interface Message {
  names: readonly string[] | 'flush'
  versions: ReadonlyMap<string, number>
}

/** A step of the clock, in milliseconds. */
const tickMs = 500
const tagsOf: Record<string, readonly string[]> = { a: ['t'], b: ['t', 'u'] }

/**
 * A source of versions, those who write to it, a subscription and a cache, one step at a time in the order that
 * the test chooses. A load reads the source when it begins, which makes the oldest value, and ends when it is told to.
 */
export class CacheModel {
  readonly cache: FencedCache<Read>
  readonly violations: string[] = []
  readonly steps: string[] = []
  readonly #keys: readonly string[]
  readonly #ttlMs: number
  readonly #maxStaleMs: number
  readonly #agreement = new Agreement()
  readonly #writes = new Map<string, Read[]>()
  readonly #heard = new Map<string, number>()
  #messages: Message[] = []
  #loads: ((read?: Error) => void)[] = []
  #now = 10_000
  #version = 0

  constructor(keys: readonly string[], ttl: number | undefined, maxStaleMs: number) {
    this.#keys = keys
    this.#ttlMs = (ttl ?? Number.POSITIVE_INFINITY) * 1000
    this.#maxStaleMs = maxStaleMs
    this.cache = new FencedCache({ max: keys.length, maxStaleMs, ...(ttl && { ttl }) }, () => this.#now)
    this.cache.follow(this.#agreement)
    this.#agreement.confirm(this.#now)
  }

  /** What can happen next. */
  get enabled(): [string, () => void][] {
    const steps: [string, () => void][] = []
    const when = (isPossible: boolean, name: string, step: () => void) => {
      if (isPossible) steps.push([name, step])
    }
    const { holds } = this.#agreement
    for (const key of this.#keys) {
      when(true, `ask ${key}`, () => this.#ask(key))
      when(true, `write ${key}`, () => this.#write([key], [key]))
    }
    when(true, 'write t', () => this.#write(['t'], this.#keys))
    when(true, 'write, flush', () => this.#write('flush', this.#keys))
    when(this.#loads.length > 0, 'end the oldest load', () => this.#loads.shift()?.())
    when(this.#loads.length > 1, 'end the newest load', () => this.#loads.pop()?.())
    when(this.#loads.length > 0, 'fail a load', () => this.#loads.shift()?.(new Error('away')))
    when(holds && this.#messages.length > 0, 'deliver', () => this.#deliver())
    when(holds && this.#messages.length === 0, 'look', () => this.#agreement.confirm(this.#now))
    when(holds, 'notice a break', () => this.#agreement.lose())
    when(!holds, 'replay', () => this.#replay())
    when(true, 'tick', () => {
      this.#now += tickMs
    })
    return steps
  }

  async take([name, step]: [string, () => void]): Promise<void> {
    this.steps.push(name)
    step()
    // A load that has ended stores its value one turn later.
    await undefined
    await undefined
    for (const key of this.#keys) {
      const stored = this.cache.peek(key)
      if (stored) this.#check('holds', key, stored, this.#oldestAllowed(key), this.#now)
    }
  }

  /** Everything under way ends, all is heard: the newest versions must be what is served. */
  async settle(): Promise<void> {
    await this.take(['replay', () => this.#replay()])
    while (this.#loads.length > 0) await this.take(['end the oldest load', () => this.#loads.shift()?.()])
    for (const key of this.#keys) {
      const read = await this.cache.getOrLoad(key, () => this.#read(key), { tags: tagsOf[key] ?? [] })
      this.#check('answers', key, read, this.#versionAt(key, this.#now), this.#now)
    }
  }

  #ask(key: string): void {
    const oldest = this.#oldestAllowed(key)
    const asked = this.#now
    const load = () =>
      new Promise<Read>((resolve, reject) => {
        const read = this.#read(key)
        this.#loads.push(error => (error ? reject(error) : resolve(read)))
      })
    this.cache.getOrLoad(key, load, { tags: tagsOf[key] ?? [] }).then(
      read => this.#check('answers', key, read, oldest, asked),
      () => {},
    )
  }

  #write(names: Message['names'], keys: readonly string[]): void {
    this.#version += 1
    for (const key of keys) {
      const writes = this.#writes.get(key) ?? []
      this.#writes.set(key, [...writes, { version: this.#version, at: this.#now }])
    }
    this.#messages.push({ names, versions: new Map(keys.map(key => [key, this.#version])) })
  }

  #deliver(): void {
    const message = this.#messages.shift()
    if (!message) return
    if (message.names === 'flush') this.cache.flush()
    else this.cache.invalidate(message.names)
    for (const [key, version] of message.versions) this.#heard.set(key, version)
  }

  #replay(): void {
    while (this.#messages.length > 0) this.#deliver()
    this.#agreement.confirm(this.#now)
  }

  #read(key: string): Read {
    return { version: this.#versionAt(key, this.#now), at: this.#now }
  }

  #versionAt(key: string, moment: number): number {
    return this.#writes.get(key)?.findLast(({ at }) => at <= moment)?.version ?? 0
  }

  /** In step: what was heard. Out of step also what was written `maxStaleMs` ago, heard or not. */
  #oldestAllowed(key: string): number {
    const heard = this.#heard.get(key) ?? 0
    if (this.#agreement.holds) return heard
    return Math.max(heard, this.#versionAt(key, this.#now - this.#maxStaleMs))
  }

  #check(verb: string, key: string, { version, at }: Read, oldest: number, asked: number): void {
    if (version < oldest)
      this.violations.push(`${verb} version ${version} of ${key}, and ${oldest} is the oldest allowed`)
    if (asked - at >= this.#ttlMs)
      this.violations.push(`${verb} ${key}, expired for ${asked - at - this.#ttlMs} ms`)
  }
}
