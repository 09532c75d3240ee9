/** What stands in a {@link LinkedQueue}; its neighbours there. */
export interface Linked<N> {
  previous: N | undefined
  next: N | undefined
}

/** First come, first served; whoever stands in it leaves in constant time. */
export class LinkedQueue<N extends Linked<N>> {
  first: N | undefined = undefined
  #last: N | undefined

  push(node: N): void {
    node.previous = this.#last
    if (this.#last === undefined) this.first = node
    else this.#last.next = node
    this.#last = node
  }

  /** `node` must stand in this queue. */
  remove(node: N): void {
    if (node.previous === undefined) this.first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.#last = node.previous
    else node.next.previous = node.previous
    node.previous = undefined
    node.next = undefined
  }
}
