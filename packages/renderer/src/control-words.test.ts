import { expect, it, vi } from 'vitest'
import { ControlWords } from './control-words.js'
import { RenderSignal } from './render-signal.js'

it('I6: a cancellation aborts the signal of its own render alone', async () => {
  const words = ControlWords.for(3)
  const tickets = [words.begin(), words.begin(), words.begin()]
  const signals = tickets.map(ticket => new RenderSignal(words, ticket).signal)
  for (const [order, index] of [1, 2, 0].entries()) {
    words.cancel(tickets[index] as number)
    await vi.waitFor(() => expect(signals[index]?.aborted).toBe(true))
    expect(signals.filter(({ aborted }) => aborted)).toHaveLength(order + 1)
  }
})

it('I6: the signal of a render that is over is not aborted by what becomes of the next one on its thread', async () => {
  const words = ControlWords.for(1)
  const first = words.begin()
  const over = new RenderSignal(words, first)
  expect(over.signal.aborted).toBe(false)
  over.end()
  words.end(first)
  const second = words.begin()
  const next = new RenderSignal(words, second)
  expect(next.signal.aborted).toBe(false)
  words.cancel(second)
  await vi.waitFor(() => expect(next.signal.aborted).toBe(true))
  expect(over.signal.aborted).toBe(false)
})

it('I6: a signal that is asked for late is aborted at once', () => {
  const words = ControlWords.for(1)
  const ticket = words.begin()
  words.cancel(ticket)
  expect(new RenderSignal(words, ticket).signal.aborted).toBe(true)
})

it('I14: no two of a thread’s renders in a row have one ticket, however many there were', () => {
  const words = ControlWords.for(1)
  let last = 0
  for (let render = 0; render < 2 ** 21 + 2; render++) {
    const ticket = words.begin()
    if (ticket === last || ticket <= 0) expect.fail(`render ${render} has the ticket ${ticket} after ${last}`)
    words.end(ticket)
    last = ticket
  }
})
