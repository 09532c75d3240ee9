/** Who has which tag. A tag that nobody has any more is forgotten. */
export class TagIndex<T extends { readonly tags: readonly string[] }> {
  readonly #tagged = new Map<string, Set<T>>()

  /** Number of tags that somebody has. */
  get size(): number {
    return this.#tagged.size
  }

  add(item: T): void {
    for (const tag of item.tags) {
      const items = this.#tagged.get(tag)
      if (items) items.add(item)
      else this.#tagged.set(tag, new Set([item]))
    }
  }

  remove(item: T): void {
    for (const tag of item.tags) {
      const items = this.#tagged.get(tag)
      if (items?.delete(item) && items.size === 0) this.#tagged.delete(tag)
    }
  }

  /** Those with the tag; they may be removed on the way. */
  of(tag: string): Iterable<T> {
    return this.#tagged.get(tag) ?? []
  }
}
