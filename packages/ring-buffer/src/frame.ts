import { RingBufferError } from './error.js'
import type { RingData } from './ring-data.js'

/**
 * What the cursors of a message ring count. A message begins at a word, with its length in the first half of one
 * of its own, because shared memory is copied a word at a time only from and to addresses that are aligned alike.
 */
export const WORD_BYTES = 8

/** Words that a message of so many bytes takes, with its length before it. */
export function wordsOf(length: number): number {
  return 1 + ((length + WORD_BYTES - 1) >>> 3)
}

/**
 * The length of the message at the word `position`, of which so many words are in the ring. Whole messages are
 * published, so a length that goes beyond them is `CORRUPT_MESSAGE` (I15).
 */
export function lengthAt(data: RingData, position: number, words: number): number {
  const length = data.uint32At(position * WORD_BYTES)
  if (length <= (words - 1) * WORD_BYTES) return length
  throw corruptMessage(length, words)
}

function corruptMessage(length: number, words: number): RingBufferError {
  return new RingBufferError(
    'CORRUPT_MESSAGE',
    `Cannot take a message of ${length} bytes: the ring has ${words * WORD_BYTES} with its length`,
  )
}
