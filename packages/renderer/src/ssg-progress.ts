import type { SsgProgress } from './ssg-options.js'

/** What progress is shown on, such as `process.stdout`. */
export interface Display {
  isTTY?: boolean
  write(text: string): unknown
}

/** Shows how far a site is: one bar that moves on a terminal, a line for each route elsewhere. */
export class ProgressDisplay {
  readonly #display: Display
  #failed = 0
  #shownAt = Number.NEGATIVE_INFINITY

  constructor(display: Display) {
    this.#display = display
  }

  show({ done, total, route, error }: SsgProgress): void {
    if (error) this.#failed++
    const count = `${done}/${total ?? '?'}`
    if (!this.#display.isTTY) {
      this.#display.write(
        `${count} ${printable(route)}${error ? ` failed: ${printable(error.message)}` : ''}\n`,
      )
      return
    }
    const now = performance.now()
    if (done !== total && now - this.#shownAt < FRAME_MS) return
    this.#shownAt = now
    const failed = this.#failed > 0 ? ` (${this.#failed} failed)` : ''
    this.#display.write(`${CLEAR}${NO_WRAP}${bar(done, total)}${count}${failed} ${printable(route)}${WRAP}`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#display.isTTY) this.#display.write(CLEAR)
  }
}

/** Text from outside, without what a terminal would obey. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '\ufffd')

const FRAME_MS = 50
const WIDTH = 24
const CLEAR = '\r\x1b[2K'
// The terminal cuts a long route off: how wide its characters are, it alone knows.
const NO_WRAP = '\x1b[?7l'
const WRAP = '\x1b[?7h'

function bar(done: number, total: number | undefined): string {
  if (total === undefined) return ''
  const full = Math.floor((done / Math.max(1, total)) * WIDTH)
  return `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}] `
}
