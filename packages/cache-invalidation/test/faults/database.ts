/**
 * What the caches are caches of: a version for each key. After a fault no cache may hold a version
 * below the acknowledged one.
 */
export class Database {
  readonly #versions = new Map<string, number>()
  readonly #acknowledged = new Map<string, number>()

  /** From 1 on. */
  read(key: string): number {
    return this.#versions.get(key) ?? 1
  }

  /** Answers the new version. */
  write(key: string): number {
    const version = this.read(key) + 1
    this.#versions.set(key, version)
    return version
  }

  /** The key was published after this version had been written, and Redis has confirmed it. */
  acknowledge(key: string, version: number): void {
    this.#acknowledged.set(key, Math.max(version, this.acknowledged(key)))
  }

  acknowledged(key: string): number {
    return this.#acknowledged.get(key) ?? 1
  }
}
