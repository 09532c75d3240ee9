import type { Load } from './cache-node.js'

/** A Map with a fence: what was loaded before an invalidation is handed over, but not stored. */
export class VersionCache {
  readonly #isFenced: boolean
  readonly #versions = new Map<string, number>()
  readonly #generations = new Map<string, number>()
  #flushed = 0

  constructor(isFenced = true) {
    this.#isFenced = isFenced
  }

  async getOrLoad(key: string, load: Load): Promise<number> {
    const cached = this.#versions.get(key)
    if (cached !== undefined) return cached
    const before = this.#fence(key)
    const version = await load(key)
    if (!this.#isFenced || before === this.#fence(key)) this.#versions.set(key, version)
    return version
  }

  invalidate(keys: string[]): void {
    for (const key of keys) {
      this.#versions.delete(key)
      this.#generations.set(key, (this.#generations.get(key) ?? 0) + 1)
    }
  }

  flush(): void {
    this.#versions.clear()
    this.#flushed += 1
  }

  entries(): [string, number][] {
    return [...this.#versions]
  }

  #fence(key: string): string {
    return `${this.#flushed}/${this.#generations.get(key) ?? 0}`
  }
}
