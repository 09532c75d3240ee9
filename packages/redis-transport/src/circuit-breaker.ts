/**
 * - `closed`: everything is let through
 * - `open`: nothing is, until the wait is over
 * - `half-open`: one probe is under way, nothing else is let through
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** One thing that was let through. Whoever got it says once how it went. */
export interface Attempt {
  succeed(): void
  fail(): void
}

/** When to open, and for how long. */
export interface CircuitBreakerOptions {
  /** So many failures without a success between them open it. */
  failures: number
  /** Milliseconds until the first probe; doubled by every probe that fails, up to 8 times as long. */
  resetMs: number
  /** A clock in milliseconds that never goes back, and numbers from 0 up to 1. For tests. */
  now?: () => number
  random?: () => number
}

const MAX_GROWTH = 8
/** Waits differ by ±20 %, so that many processes don't probe at the same time. */
const JITTER = 0.2

/** Stops asking a service that fails again and again, and tries now and then whether it is back. */
export class CircuitBreaker {
  readonly #limit: number
  readonly #resetMs: number
  readonly #now: () => number
  readonly #random: () => number
  #state: BreakerState = 'closed'
  // Counts changes of state. An attempt counts only in the era that admitted it: one that began
  // before an outage says nothing about what is after it.
  #era = 0
  #failures = 0
  #growth = 1
  #probeAt = 0
  #openings = 0
  #probes = 0

  constructor({
    failures,
    resetMs,
    now = () => performance.now(),
    random = Math.random,
  }: CircuitBreakerOptions) {
    this.#limit = failures
    this.#resetMs = resetMs
    this.#now = now
    this.#random = random
  }

  get state(): BreakerState {
    return this.#state
  }

  /** How often it went from closed to open. */
  get openings(): number {
    return this.#openings
  }

  /** How many probes were let through. */
  get probes(): number {
    return this.#probes
  }

  /** Lets one attempt through, or answers `undefined`: don't even try. */
  admit(): Attempt | undefined {
    if (this.#state === 'half-open') return undefined
    if (this.#state === 'open') {
      if (this.#now() < this.#probeAt) return undefined
      this.#enter('half-open')
      this.#probes += 1
    }
    const era = this.#era
    return {
      succeed: () => {
        if (era === this.#era) this.#succeeded()
      },
      fail: () => {
        if (era === this.#era) this.#failed()
      },
    }
  }

  #enter(state: BreakerState): void {
    this.#state = state
    this.#era += 1
    this.#failures = 0
  }

  #succeeded(): void {
    this.#failures = 0
    if (this.#state === 'closed') return
    this.#growth = 1
    this.#enter('closed')
  }

  #failed(): void {
    this.#failures += 1
    if (this.#state === 'closed') {
      if (this.#failures < this.#limit) return
      this.#openings += 1
    } else {
      this.#growth = Math.min(this.#growth * 2, MAX_GROWTH)
    }
    const spread = 1 - JITTER + 2 * JITTER * this.#random()
    this.#probeAt = this.#now() + this.#resetMs * this.#growth * spread
    this.#enter('open')
  }
}
