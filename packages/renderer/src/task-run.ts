import type { Piscina } from 'piscina'
import type { ControlWords } from './control-words.js'
import { KillSwitch } from './kill-switch.js'
import type { RenderAnswer, RenderTask } from './protocol.js'

/** What became of a task. */
export type Outcome = { answer: RenderAnswer } | { crash: unknown; killed: boolean }

/** Whoever started a task. */
export interface TaskOwner {
  /** Called once. The thread has nothing to do with the task any more, or is gone. */
  onOutcome(outcome: Outcome): void
  /** Called once, at the same time or later. Another task may be started. */
  onFree(): void
}

/** A task on its thread. It can be asked to end, and is ended with its thread when it doesn't within the grace. */
export class TaskRun {
  readonly ticket: number
  readonly #words: ControlWords
  readonly #graceMs: number
  readonly #owner: TaskOwner
  readonly #kill = new KillSwitch()
  #grace: NodeJS.Timeout | undefined
  #hasOutcome = false

  constructor(
    pool: Piscina,
    words: ControlWords,
    task: Omit<RenderTask, 'ticket'>,
    graceMs: number,
    owner: TaskOwner,
  ) {
    this.ticket = words.begin()
    this.#words = words
    this.#graceMs = graceMs
    this.#owner = owner
    const ticketed = task as RenderTask
    ticketed.ticket = this.ticket
    pool.run(ticketed, { signal: this.#kill }).then(
      (answer: RenderAnswer) => this.#end({ answer }),
      crash => this.#end({ crash, killed: this.#kill.aborted }),
    )
  }

  /** How long a thread has had it; `undefined` while it waits for one to start. */
  get renderMs(): number | undefined {
    return this.#words.renderMs(this.ticket)
  }

  /** Aborts the render's signal; ends its thread when it is not over after the grace. */
  cancel(): void {
    if (this.#hasOutcome || this.#grace) return
    this.#words.cancel(this.ticket)
    this.#killLater()
  }

  /** The thread has done enough: it gives its answer so, and is ended once it is torn down, or after the grace. */
  retire(answer: RenderAnswer | undefined): void {
    if (!answer) this.#kill.trip()
    else {
      this.#settle({ answer })
      this.#killLater()
    }
  }

  #killLater(): void {
    this.#grace ??= setTimeout(() => this.#kill.trip(), this.#graceMs)
  }

  #end(outcome: Outcome): void {
    if (this.#grace) clearTimeout(this.#grace)
    this.#words.end(this.ticket)
    this.#owner.onFree()
    this.#settle(outcome)
  }

  #settle(outcome: Outcome): void {
    if (this.#hasOutcome) return
    this.#hasOutcome = true
    this.#owner.onOutcome(outcome)
  }
}
