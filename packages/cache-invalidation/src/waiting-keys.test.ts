import { describe, expect, it } from 'vitest'
import { encodeKeys, MAX_MESSAGE_BYTES } from './message.js'
import { type Outgoing, WaitingKeys } from './waiting-keys.js'

const json = (...keys: string[]) => encodeKeys(keys)

function takeAll(waiting: WaitingKeys): Outgoing[] {
  const messages: Outgoing[] = []
  for (let message = waiting.take(); message; message = waiting.take()) messages.push(message)
  return messages
}
const keysOf = ({ members }: Outgoing): string[] => JSON.parse(`{${members}}`).keys
const isFlush = ({ members }: Outgoing): boolean => JSON.parse(`{${members}}`).flush === true

describe('I11: keys that wait', () => {
  it('go out together, each once, in the order in which they first came', () => {
    const waiting = new WaitingKeys()
    const { ticket } = waiting.add(json('a', 'b'))
    const again = waiting.add(json('b'))
    const later = waiting.add(json('b', 'c', 'a'))
    expect(again).toEqual({ ticket, coalesced: 1 })
    expect(later.coalesced).toBe(2)
    expect(waiting.keys).toBe(3)
    const [message, ...others] = takeAll(waiting)
    expect(others).toEqual([])
    expect(keysOf(message as Outgoing)).toEqual(['a', 'b', 'c'])
    expect(message?.ticket).toBe(later.ticket)
    expect([waiting.keys, waiting.bytes, waiting.isEmpty]).toEqual([0, 0, true])
  })

  it('are not taken for those that are on their way', () => {
    const waiting = new WaitingKeys()
    const first = waiting.add(json('a'))
    waiting.take()
    expect(waiting.add(json('a'))).toEqual({ ticket: first.ticket + 1, coalesced: 0 })
    expect(takeAll(waiting).map(keysOf)).toEqual([['a']])
  })

  it('are split: no message is too large, and none but of one publication is over 64 KiB', () => {
    const waiting = new WaitingKeys()
    // 6 bytes as JSON for each of their characters
    const keys = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(7000, '\u0001'))
    const tickets = keys.map(key => waiting.add(json(key)).ticket)
    const messages = takeAll(waiting)
    expect(messages.flatMap(keysOf)).toEqual(keys)
    for (const { members } of messages) expect(Buffer.byteLength(members)).toBeLessThan(66_000)
    expect(Math.max(...messages.map(({ ticket }) => ticket))).toBe(tickets.at(-1))
    const large = Array.from({ length: 130 }, (_, i) => `${i}`.padEnd(8000))
    waiting.addNamed('large', json(...large))
    expect(takeAll(waiting).map(({ members }) => Buffer.byteLength(members) < MAX_MESSAGE_BYTES)).toEqual([
      true,
    ])
  })

  it('with an id of their own stay by themselves, whole and in order', () => {
    const waiting = new WaitingKeys()
    waiting.add(json('a'))
    const ticket = waiting.addNamed('deploy-7', json('a', 'b'))
    expect(waiting.addNamed('deploy-7', json('a', 'b'))).toBe(ticket)
    // Redis may know that id: then it does not publish its keys again.
    expect(waiting.add(json('b'))).toEqual({ ticket: ticket + 1, coalesced: 0 })
    const messages = takeAll(waiting)
    expect(messages.map(keysOf)).toEqual([['a'], ['a', 'b'], ['b']])
    expect(messages.map(({ id }) => id === 'deploy-7')).toEqual([false, true, false])
    expect([waiting.keys, waiting.bytes]).toEqual([0, 0])
  })
})

describe('I11: too many of them', () => {
  it.each([
    ['keys', { maxKeys: 3, maxBytes: 1000 }],
    ['bytes', { maxKeys: 1000, maxBytes: 15 }],
  ])('become a flush, which covers those that come before it is taken: %s', (_, limits) => {
    const waiting = new WaitingKeys()
    waiting.add(json('aa', 'bb'))
    const named = waiting.addNamed('id', json('cc'))
    expect(waiting.overflow(limits)).toBe(false)
    const { ticket } = waiting.add(json('dd'))
    expect(waiting.overflow(limits)).toBe(true)
    expect([waiting.keys, waiting.bytes, waiting.isEmpty]).toEqual([0, 0, false])
    const covered = waiting.add(json('ee', 'aa')).ticket
    expect(waiting.addNamed('id', json('cc'))).toBe(covered)
    expect(waiting.overflow(limits)).toBe(false)
    const [flush, ...others] = takeAll(waiting)
    expect(others).toEqual([])
    expect(isFlush(flush as Outgoing)).toBe(true)
    expect(flush?.ticket).toBe(covered)
    expect(covered).toBeGreaterThan(Math.max(ticket, named))
    expect(waiting.add(json('ff')).ticket).toBeGreaterThan(covered)
    expect(takeAll(waiting).map(keysOf)).toEqual([['ff']])
  })
})
