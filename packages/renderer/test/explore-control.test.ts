import { explore, type Thread } from '@scratchyjs/tooling/explore'
import { describe, expect, it } from 'vitest'
import { ControlWords } from '../src/control-words.js'
import { StreamHub } from '../src/stream-hub.js'

// The words of a pool of two threads. Where no render runs, their renders' words stand for two streams: what a stream
// has to give is a count.
const FIRST_STREAM = 2
const places = { 0: 'rings', 4: 'listening', 8: 'first', 12: 'second' }
const memory = () => ControlWords.for(2).buffer

/** A thread with the words. */
function thread(act: (words: ControlWords, streams: Int32Array) => unknown): Thread {
  return memory => {
    const words = new ControlWords(memory)
    const streams = new Int32Array(memory, 4 * FIRST_STREAM)
    return () => act(words, streams)
  }
}

/** Gives a stream so many parts, and rings for each. */
const worker = (stream: number, parts: number) =>
  thread((words, streams) => {
    for (let part = 0; part < parts; part++) {
      Atomics.add(streams, stream, 1)
      words.ring()
    }
  })

/** Takes so many parts from each stream as they come, from all at once or from one after the other. */
const main = (expected: number[], isOrdered: boolean) =>
  thread(async (words, streams) => {
    const hub = new StreamHub(words)
    const taken = expected.map(() => 0)
    const read = (stream: number) =>
      new Promise<void>(resolve => {
        const poll = () => {
          const there = Atomics.load(streams, stream)
          if (there === taken[stream]) return false
          taken[stream] = there
          if (there === expected[stream]) resolve()
          else hub.add({ poll }) // as a stream does whose consumer asks for more
          return true
        }
        hub.add({ poll })
      })
    if (isOrdered) for (const stream of expected.keys()) await read(stream)
    else await Promise.all(expected.map((_, stream) => read(stream)))
    return taken
  })

describe('I8: however threads meet at the doorbell, nothing is missed, and nobody waits when all is over:', () => {
  it.each([
    ['one stream', [2], false],
    ['two streams', [1, 1], false],
    ['one stream after another', [1, 1], true],
  ])('%s', async (name, parts, isOrdered) => {
    const workers = Object.fromEntries(
      parts.map((count, stream) => [`worker ${stream}`, worker(stream, count)]),
    )
    await explore({
      name,
      memory,
      places,
      threads: { main: main(parts, isOrdered), ...workers },
      check: ({ results, waiting }) => expect([results.main, waiting]).toEqual([parts, 0]),
    })
  })
})

describe('I6: however a cancellation meets its render,', () => {
  const beginning = () => {
    const words = ControlWords.for(2)
    return { words, ticket: words.begin() }
  }
  const { ticket } = beginning()
  const cancelling = thread(words => words.cancel(ticket))

  it('it is heard, once', async () => {
    await explore({
      name: 'a render that waits for its cancellation',
      memory: () => beginning().words.buffer,
      places,
      threads: {
        main: cancelling,
        worker: thread(async words => {
          let calls = 0
          await new Promise<void>(resolve => {
            words.onCancel(ticket, () => {
              calls++
              resolve()
            })
          })
          return calls
        }),
      },
      check: ({ results, waiting }) => expect([results.worker, waiting]).toEqual([1, 0]),
    })
  })

  it.each([
    ['while it is cancelled', { main: cancelling }],
    ['and is not cancelled', {}],
  ])('a render that ends %s hears of nothing afterwards, and waits for nothing', async (when, threads) => {
    await explore({
      name: `a render that ends ${when}`,
      memory: () => beginning().words.buffer,
      places,
      threads: {
        ...threads,
        worker: thread(async words => {
          let isOver = false
          let late = 0
          const end = words.onCancel(ticket, () => {
            if (isOver) late++
          })
          await Promise.resolve()
          isOver = true
          end()
          return () => late
        }),
      },
      check: ({ results, waiting }) => expect([(results.worker as () => number)(), waiting]).toEqual([0, 0]),
    })
  })
})
