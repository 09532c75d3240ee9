import type { MessagePort } from 'node:worker_threads'
import type { Patience } from './gate.js'

/** What the two threads of a measurement share. */
export interface Link<Memory = SharedArrayBuffer> {
  /** Bytes of a message. */
  size: number
  /** The contender's shared memory. */
  memory: Memory
  /** This thread's end of a message channel. */
  port: MessagePort
}

/** Carries `count` messages, or takes as many. */
export type Loop = (count: number, patience: Patience) => void | Promise<void>

/**
 * A way to get messages from one thread to another. Both sides are called once for each size and allocate then
 * what they need; only the loops that they answer are timed. Rings have loops of their own that look alike: a loop
 * that several contenders share would be compiled for all of them, and cost each more than its own.
 */
export interface Contender<Memory = SharedArrayBuffer> {
  memory(size: number, capacity: number): Memory
  producer(link: Link<Memory>): Loop
  consumer(link: Link<Memory>): Loop
}
