import type { Piscina } from 'piscina'
import type { ControlWords } from './control-words.js'
import { KillSwitch } from './kill-switch.js'
import type { RenderAnswer, RenderTask } from './protocol.js'

/** What became of a task, once its thread is free or gone. */
export type Outcome = { answer: RenderAnswer } | { crash: unknown; killed: boolean }

/** A task on its thread. It can be asked to end, and is ended with its thread when it doesn't within the grace. */
export class TaskRun {
  readonly #words: ControlWords
  readonly #cancelGrace: number
  readonly #kill = new KillSwitch()
  readonly #ticket: number
  #grace: NodeJS.Timeout | undefined
  #isOver = false

  /** @param onOutcome called once, when the thread has nothing to do with the task any more */
  constructor(
    pool: Piscina,
    words: ControlWords,
    task: Omit<RenderTask, 'ticket'>,
    cancelGrace: number,
    onOutcome: (outcome: Outcome) => void,
  ) {
    this.#words = words
    this.#cancelGrace = cancelGrace
    this.#ticket = words.begin()
    const end = (outcome: Outcome) => {
      this.#isOver = true
      if (this.#grace) clearTimeout(this.#grace)
      words.end(this.#ticket)
      onOutcome(outcome)
    }
    const ticketed = task as RenderTask
    ticketed.ticket = this.#ticket
    pool.run(ticketed, { signal: this.#kill }).then(
      (answer: RenderAnswer) => end({ answer }),
      crash => end({ crash, killed: this.#kill.aborted }),
    )
  }

  /** Aborts the render's signal; ends its thread when it is not over after the grace. */
  cancel(): void {
    if (this.#isOver || this.#grace) return
    this.#words.cancel(this.#ticket)
    this.#grace = setTimeout(() => this.#kill.trip(), this.#cancelGrace)
  }
}
