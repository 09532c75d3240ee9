import { expect, it, vi } from 'vitest'
import { ControlWords } from './control-words.js'
import { StreamHub } from './stream-hub.js'

it('I8: a listener that another one removes is asked no more', async () => {
  const words = ControlWords.for(1)
  const hub = new StreamHub(words)
  const last = { poll: vi.fn(() => false) }
  const first = {
    poll: vi.fn(() => {
      if (first.poll.mock.calls.length < 3) return false
      hub.remove(last)
      return true
    }),
  }
  hub.add(first)
  hub.add(last)
  const asked = last.poll.mock.calls.length
  words.ring()
  await vi.waitFor(() => expect(first.poll).toHaveBeenCalledTimes(3))
  expect(last.poll).toHaveBeenCalledTimes(asked)
})
