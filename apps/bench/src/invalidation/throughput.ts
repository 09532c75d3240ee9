import { microseconds } from './clock.js'
import type { Speaker } from './contenders.js'
import type { Listener } from './listener.js'

/** Publications per second. */
export interface Rate {
  /** Until the last promise resolved. */
  published: number
  /** Until the other process had handled the last key. */
  handled: number
}

/** Publishes `count` keys, each by a call of its own, `outstanding` at a time. */
export async function throughputRun(
  name: string,
  speaker: Speaker,
  listener: Listener,
  { count, outstanding }: { count: number; outstanding: number },
): Promise<Rate> {
  let next = 0
  const startedAt = microseconds()
  const lane = async () => {
    while (next < count) {
      next += 1
      await speaker.send(`${next - 1}`)
    }
  }
  await Promise.all(Array.from({ length: outstanding }, lane))
  const publishedAt = microseconds()
  const { latest } = await listener.collect(name, count)
  const perSecond = (until: number) => (count / (until - startedAt)) * 1e6
  return { published: perSecond(publishedAt), handled: perSecond(latest) }
}
