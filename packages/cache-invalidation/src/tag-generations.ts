/** A tag from one invalidation to the next. */
export interface Generation {
  readonly tag: string
  /** The tag was invalidated: whatever holds this generation is stale. */
  isOver: boolean
  holders: number
}

/** The present generation of each tag that somebody holds. Invalidating a tag costs the same whatever holds it. */
export class TagGenerations {
  readonly #present = new Map<string, Generation>()

  /** Number of tags that somebody holds, and that were not invalidated since. */
  get size(): number {
    return this.#present.size
  }

  hold(tag: string): Generation {
    let generation = this.#present.get(tag)
    if (!generation) {
      generation = { tag, isOver: false, holders: 0 }
      this.#present.set(tag, generation)
    }
    generation.holders += 1
    return generation
  }

  release(generation: Generation): void {
    generation.holders -= 1
    if (generation.holders === 0 && !generation.isOver) this.#present.delete(generation.tag)
  }

  invalidate(tag: string): void {
    const generation = this.#present.get(tag)
    if (!generation) return
    generation.isOver = true
    this.#present.delete(tag)
  }
}
