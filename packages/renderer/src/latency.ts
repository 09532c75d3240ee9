const size = 1024

/** The latest 1,024 durations, for percentiles. */
export class Latency {
  readonly #samples = new Float64Array(size)
  #count = 0

  record(ms: number): void {
    this.#samples[this.#count++ % size] = ms
  }

  /** Nearest-rank percentiles in milliseconds; 0 before the first sample. */
  percentiles(): { p50: number; p99: number } {
    const sorted = this.#samples.slice(0, Math.min(this.#count, size)).sort()
    const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
    return { p50: at(0.5), p99: at(0.99) }
  }
}
