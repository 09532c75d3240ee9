import type { Piscina } from 'piscina'
import type { ControlWords, Ticket } from './control-words.js'
import { KillSwitch } from './kill-switch.js'
import type { RenderAnswer, RenderTask } from './protocol.js'

/** What became of a task, once its thread is free or gone. */
export type Outcome = { answer: RenderAnswer } | { crash: unknown; killed: boolean }

/** Numbers of renders, 1 to 2^31 - 1: 0 stands for a cancelled one. */
let latest = 0

/** Which of the words in shared memory are in use. */
export class Tickets {
  readonly words: ControlWords
  readonly #free: number[]

  constructor(words: ControlWords, renders: number) {
    this.words = words
    this.#free = Array.from({ length: renders }, (_, render) => render)
  }

  take(): { ticket: Ticket; giveBack(): void } {
    const render = this.#free.pop() as number
    latest = (latest % (2 ** 31 - 1)) + 1
    return { ticket: this.words.begin(render, latest), giveBack: () => this.#free.push(render) }
  }
}

/** A task on its thread. It can be asked to end, and is ended with its thread when it doesn't within the grace. */
export class TaskRun {
  readonly #words: ControlWords
  readonly #ticket: Ticket
  readonly #cancelGrace: number
  readonly #kill = new KillSwitch()
  #grace: NodeJS.Timeout | undefined
  #over = false
  /** Resolves when the thread has nothing to do with the task any more; never rejects. */
  readonly outcome: Promise<Outcome>

  constructor(pool: Piscina, tickets: Tickets, task: Omit<RenderTask, 'ticket'>, cancelGrace: number) {
    const { ticket, giveBack } = tickets.take()
    this.#words = tickets.words
    this.#ticket = ticket
    this.#cancelGrace = cancelGrace
    const end = <T>(outcome: T): T => {
      this.#over = true
      clearTimeout(this.#grace)
      giveBack()
      return outcome
    }
    this.outcome = pool.run({ ...task, ticket } satisfies RenderTask, { signal: this.#kill }).then(
      (answer: RenderAnswer) => end({ answer }),
      crash => end({ crash, killed: this.#kill.aborted }),
    )
  }

  /** Aborts the render's signal; ends its thread when it is not over after the grace. */
  cancel(): void {
    if (this.#over || this.#grace) return
    this.#words.cancel(this.#ticket)
    this.#grace = setTimeout(() => this.#kill.trip(), this.#cancelGrace)
  }
}
