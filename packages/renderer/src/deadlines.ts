/**
 * Things in the order of their coming, each of which may take the same time. One timer for all: a timer for each costs
 * the main thread about a microsecond a page. It keeps no process alive.
 */
export class Deadlines<Item> {
  readonly #timeoutMs: number
  readonly #onLate: (item: Item) => number
  /** When the time of each began, by `performance.now()`. */
  readonly #since = new Map<Item, number>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param onLate called for an item whose time is up, which is no longer among the others then; answers how many
   * milliseconds more it has, 0 for none
   */
  constructor(timeoutMs: number, onLate: (item: Item) => number) {
    this.#timeoutMs = timeoutMs
    this.#onLate = onLate
  }

  get size(): number {
    return this.#since.size
  }

  /** The time of this item begins. */
  add(item: Item, since: number = performance.now()): void {
    this.#since.set(item, since)
    this.#timer ??= this.#wait(this.#timeoutMs)
  }

  /** Before all that are there. */
  addFirst(item: Item): void {
    const others = [...this.#since]
    this.#since.clear()
    this.add(item)
    for (const [other, since] of others) this.#since.set(other, since)
  }

  /** Answers since when it was there, or `undefined`. */
  delete(item: Item): number | undefined {
    const since = this.#since.get(item)
    if (since !== undefined) this.#since.delete(item)
    return since
  }

  /** In their order. */
  items(): IterableIterator<Item> {
    return this.#since.keys()
  }

  #wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), Math.ceil(ms)).unref()
  }

  #look(): void {
    const now = performance.now()
    let left = this.#timeoutMs // of what is added meanwhile, for which no timer is made
    for (const [item, since] of [...this.#since]) {
      let its = since + this.#timeoutMs - now
      if (its <= 0) {
        if (!this.#since.delete(item)) continue // meanwhile, by what was done about another
        its = this.#onLate(item)
        if (its <= 0) continue
        this.#since.set(item, now + its - this.#timeoutMs)
      }
      left = Math.min(left, its)
    }
    this.#timer = this.#since.size > 0 ? this.#wait(left) : undefined
  }
}
