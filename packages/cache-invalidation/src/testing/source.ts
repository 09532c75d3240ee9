import assert from 'node:assert/strict'
import type { ContractCache } from './adapter.js'
import type { Channel } from './channel.js'
import { eventually } from './waiting.js'

/** A load that has read its value, and ends when it is told to. */
export interface HeldLoad {
  answer: Promise<number>
  /** Resolves when the loader was called. */
  begun: Promise<void>
  end(): void
}

/** Versioned values behind a cache: a write raises the version and publishes the name. */
export class Source {
  #version = 1
  readonly #cache: ContractCache
  readonly #channel: Channel

  constructor(cache: ContractCache, channel: Channel) {
    this.#cache = cache
    this.#channel = channel
  }

  get version(): number {
    return this.#version
  }

  async write(...names: string[]): Promise<void> {
    this.#version += 1
    await this.#channel.publish(...names)
  }

  ask(key: string, ...tags: string[]): Promise<number> {
    return this.#cache.getOrLoad(key, async () => this.#version, { tags })
  }

  /** Asks, with a loader that is slow. */
  askSlowly(key: string): HeldLoad {
    let end = () => {}
    let begin = () => {}
    const begun = new Promise<void>(resolve => {
      begin = resolve
    })
    const answer = this.#cache.getOrLoad(key, () => {
      const version = this.#version
      begin()
      return new Promise(resolve => {
        end = () => resolve(version)
      })
    })
    return { answer, begun, end: () => end() }
  }

  /** Resolves when the cache serves the newest version of a key. */
  renewed(key: string, ...tags: string[]): Promise<void> {
    return eventually(this.#channel.arrivalMs, async () => {
      assert.equal(await this.ask(key, ...tags), this.#version, `the version of ${key} that is served`)
    })
  }

  /** Resolves when the cache has heard all that was published so far. */
  async heard(): Promise<void> {
    const marker = 'contract:marker'
    await this.ask(marker)
    await this.write(marker)
    await this.renewed(marker)
  }
}
