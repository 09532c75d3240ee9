import { createMessageRing, MessageReceiver, MessageSender, SharedRingBuffer } from '@scratchyjs/ring-buffer'
import {
  createSharedBuffer,
  fromSharedBuffer,
  readFromBuffer,
  writeToBuffer,
} from '@scratchyjs/shared-buffer'
import type { Contender, Loop } from './contender.js'
import { LIMIT_MS } from './gate.js'
import { blankMessage, check, stamp } from './stamp.js'

/** Memory for the way there, and for the way back. */
type Ways = [SharedArrayBuffer, SharedArrayBuffer]

export type RoundTrip = Contender<Ways>

/** The milliseconds of each trip of this thread's last run. */
export const tripTimes: Float64Array = new Float64Array(200_000)

const bounded = { timeoutMs: LIMIT_MS }

function asking(trip: (index: number) => void): Loop {
  return count => {
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      trip(i)
      tripTimes[i] = performance.now() - start
    }
  }
}

function echoing(trip: (index: number) => void): Loop {
  return count => {
    for (let i = 0; i < count; i++) trip(i)
  }
}

/** The floor: a word for each way, that counts the trips, and nothing else. */
const bareWaitNotify: RoundTrip = {
  memory: () => [new SharedArrayBuffer(4), new SharedArrayBuffer(4)],
  producer({ memory: [there, back] }) {
    const ask = raiser(there)
    const answered = awaiter(back)
    return asking(() => {
      ask()
      answered()
    })
  },
  consumer({ memory: [there, back] }) {
    const asked = awaiter(there)
    const answer = raiser(back)
    return echoing(() => {
      asked()
      answer()
    })
  },
}

function raiser(memory: SharedArrayBuffer): () => void {
  const words = new Int32Array(memory)
  let turn = 0
  return () => {
    Atomics.store(words, 0, ++turn)
    Atomics.notify(words, 0)
  }
}

function awaiter(memory: SharedArrayBuffer): () => void {
  const words = new Int32Array(memory)
  let turn = 0
  return () => {
    const last = turn++
    while (Atomics.load(words, 0) === last) {
      if (Atomics.wait(words, 0, last, LIMIT_MS) === 'timed-out') throw new Error('nothing came')
    }
  }
}

function messages(spin: number): RoundTrip {
  return {
    memory: () => [
      createMessageRing({ capacity: 4096 }).buffer,
      createMessageRing({ capacity: 4096 }).buffer,
    ],
    producer({ memory: [there, back], size }) {
      const sender = new MessageSender(there, { spin })
      const receiver = new MessageReceiver(back, { spin })
      const message = blankMessage(size)
      return asking(i => {
        stamp(message, i)
        sender.send(message, bounded)
        check(arrived(receiver.receive(bounded)), size, i)
      })
    },
    consumer({ memory: [there, back] }) {
      const receiver = new MessageReceiver(there, { spin })
      const sender = new MessageSender(back, { spin })
      return echoing(() => sender.send(arrived(receiver.receive(bounded)), bounded))
    },
  }
}

function arrived<T>(message: T | null | undefined): T {
  if (message === undefined || message === null) throw new Error(`nothing came within ${LIMIT_MS} ms`)
  return message
}

const plainRing: RoundTrip = {
  memory: () => [new SharedRingBuffer(4096).getSharedBuffer(), new SharedRingBuffer(4096).getSharedBuffer()],
  producer({ memory, size }) {
    const [there, back] = memory.map(SharedRingBuffer.fromSharedBuffer) as [
      SharedRingBuffer,
      SharedRingBuffer,
    ]
    const message = blankMessage(size)
    const echo = new Uint8Array(size)
    return asking(i => {
      stamp(message, i)
      there.write(message)
      back.waitReadable(size, bounded)
      back.readInto(echo)
      check(echo, size, i)
    })
  },
  consumer({ memory, size }) {
    const [there, back] = memory.map(SharedRingBuffer.fromSharedBuffer) as [
      SharedRingBuffer,
      SharedRingBuffer,
    ]
    const message = new Uint8Array(size)
    return echoing(() => {
      there.waitReadable(size, bounded)
      there.readInto(message)
      back.write(message)
    })
  },
}

/** Posts what `make` gives for the trip, and gets it back as an event of the other thread's answer. */
function postMessage<Message>(
  make: (size: number) => (index: number) => Message,
  verify: (echo: Message, size: number, index: number) => void,
): RoundTrip {
  return {
    memory: () => [new SharedArrayBuffer(1), new SharedArrayBuffer(1)],
    producer({ port, size }) {
      const next = make(size)
      let arrive: (echo: Message) => void
      port.on('message', (echo: Message) => arrive(echo))
      return count =>
        new Promise((resolve, reject) => {
          let index = 0
          let start = 0
          const ask = (): void => {
            start = performance.now()
            port.postMessage(next(index))
          }
          arrive = echo => {
            try {
              verify(echo, size, index)
              tripTimes[index++] = performance.now() - start
              if (index === count) resolve()
              else ask()
            } catch (error) {
              reject(error)
            }
          }
          setTimeout(reject, LIMIT_MS, new Error(`not done within ${LIMIT_MS} ms`)).unref()
          ask()
        })
    },
    consumer({ port }) {
      let echoed = 0
      let wanted = 0
      let finish: () => void
      port.on('message', (message: Message) => {
        port.postMessage(message)
        if (++echoed === wanted) finish()
      })
      return count => {
        echoed = 0
        wanted = count
        return new Promise<void>(resolve => {
          finish = resolve
        })
      }
    },
  }
}

interface Context {
  id: number
  route: string
  items: object[]
}

/** An object like a render context, whose JSON is of 2 KB. */
function contextObject(): Context {
  const items = Array.from({ length: 20 }, (_, i) => ({
    sku: `item-${1000 + i}`,
    title: `Something with the number ${1000 + i}`,
    price: 12.5 + i,
    inStock: i % 3 > 0,
  }))
  return { id: 0, route: '/catalogue/items', items }
}

function verifyObject(echo: Context, _size: number, index: number): void {
  if (echo.id === index && echo.items.length === 20) return
  throw new Error(`object ${index} came back as ${echo.id} with ${echo.items.length} items`)
}

const mailbox: RoundTrip = {
  memory: () => [createSharedBuffer(4096).buffer, createSharedBuffer(4096).buffer],
  producer({ memory: [there, back], size }) {
    const question = fromSharedBuffer(there)
    const answer = fromSharedBuffer(back)
    const object = contextObject()
    return asking(i => {
      object.id = i
      writeToBuffer(question, object)
      verifyObject(readFromBuffer<Context>(answer, LIMIT_MS), size, i)
    })
  },
  consumer({ memory: [there, back] }) {
    const question = fromSharedBuffer(there)
    const answer = fromSharedBuffer(back)
    return echoing(() => writeToBuffer(answer, readFromBuffer<Context>(question, LIMIT_MS)))
  },
}

/** Of 64 bytes, but for the objects of 2 KB. */
export const roundTripContenders: Record<string, RoundTrip> = {
  'bare wait/notify': bareWaitNotify,
  'messages, parked': messages(0),
  'messages, spinning': messages(2 ** 30),
  'plain ring, parked': plainRing,
  'postMessage bytes': postMessage(size => {
    const message = blankMessage(size)
    return index => {
      stamp(message, index)
      return message
    }
  }, check),
  'mailbox object': mailbox,
  'postMessage object': postMessage(() => {
    const object = contextObject()
    return index => {
      object.id = index
      return object
    }
  }, verifyObject),
}
