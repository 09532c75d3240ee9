import { setTimeout as delay } from 'node:timers/promises'

/** More than a ring or a small slot holds, and not ASCII. */
export const lines = Array.from({ length: 2000 }, (_, i) => `Zoë 🎈 ${i}`)

/** What a page's last part waits for: it comes, fails, or takes so long that its client has gone. */
export function late(end, signal) {
  const coming = delay(end === 'slow' ? 1500 : 60, undefined, { signal }).then(() => {
    if (end === 'late') throw new RangeError('after the shell')
    return 'late part'
  })
  coming.catch(() => {}) // a page that failed in its shell never looks at it
  return coming
}
