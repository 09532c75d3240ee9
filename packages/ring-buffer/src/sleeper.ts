const AWAKE = 0
const ASLEEP = 1

/**
 * A word that one side sets before it sleeps on it, and the other clears before it wakes the sleeper. Setting
 * it, looking, then sleeping on `ASLEEP` loses no wake-up: who publishes after the look finds the flag set,
 * clears it, and the sleep does not begin or ends (I7, I13).
 */
export function fallAsleep(words: Int32Array<SharedArrayBuffer>, flag: number): number {
  Atomics.store(words, flag, ASLEEP) // I13: before the condition is looked at; pairs with the load in wakeSleeper
  return ASLEEP
}

/** Wakes who sleeps on the flag, if anybody does; otherwise costs one load. Call it after what is to be seen. */
export function wakeSleeper(words: Int32Array<SharedArrayBuffer>, flag: number): void {
  if (Atomics.load(words, flag) === AWAKE) return // I13: after the publication; pairs with the store in fallAsleep
  Atomics.store(words, flag, AWAKE) // I13: first, so that a sleep on ASLEEP can't begin after the notify
  Atomics.notify(words, flag) // I6, I13: only for somebody
}
