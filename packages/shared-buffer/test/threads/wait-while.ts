/** Blocks until the word has another value; throws after ten seconds. */
export function waitWhile(words: Int32Array, index: number, value: number): void {
  const deadline = performance.now() + 10_000
  // A notify for an earlier change may come late and wake too early: only the value counts.
  while (Atomics.load(words, index) === value) {
    if (performance.now() > deadline) throw new Error(`word ${index} is still ${value}`)
    Atomics.wait(words, index, value, 1000)
  }
}
