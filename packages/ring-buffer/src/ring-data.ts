/** Up to this many bytes a loop costs less than a block copy into the ring. */
const LOOP_IN = 20
/** The same out of the ring, where a block copy needs a view made for it, which is garbage afterwards. */
const LOOP_OUT = 32
/** The same for a target that is used again and again, so that it is worth an `Int32Array` of its own. */
const LOOP_OUT_AGAIN = 128
/** Up to this many bytes a loop goes round the ring's end, so that small records leave no garbage there either. */
const LOOP_ROUND = 128
/** From this many bytes on, two copies cost less than one between addresses that are aligned differently. */
const REALIGN = 512
/** How V8 copies from and to shared memory: a word at a time where both sides are aligned alike, or else bytes. */
const WORD_BYTES = 8
/** How much is realigned at a time. */
const REALIGNED_BYTES = 65_536

/** Looked up once: V8 doesn't keep the method of a view that comes from elsewhere, and looks it up for each copy. */
const { set } = Uint8Array.prototype

let privateMemory: ArrayBuffer | undefined

type View = Uint8Array<SharedArrayBuffer>

/** The data of a ring: `length` bytes of shared memory from `start` on, where positions go round the end. */
export class RingData {
  readonly length: number
  readonly #buffer: SharedArrayBuffer
  readonly #start: number
  readonly #bytes: View
  readonly #words: Int32Array<SharedArrayBuffer>
  #lastTarget: Uint8Array | undefined
  #lastTargetWords: Int32Array | undefined

  constructor(buffer: SharedArrayBuffer, start: number, length: number) {
    this.length = length
    this.#buffer = buffer
    this.#start = start
    this.#bytes = new Uint8Array(buffer, start, length)
    this.#words = new Int32Array(buffer, start, length >> 2)
  }

  /** The position `bytes` further on, at most once round. */
  after(position: number, bytes: number): number {
    const next = position + bytes
    return next < this.length ? next : next - this.length
  }

  /** A view of bytes that don't go round the end. Costs half of what `subarray` does. */
  view(position: number, bytes: number): View {
    return new Uint8Array(this.#buffer, this.#start + position, bytes)
  }

  /** Views of `bytes` bytes from `position` on: one, two where they go round the end, none for 0. */
  spans(position: number, bytes: number): View[] {
    if (bytes === 0) return []
    const beforeEnd = this.length - position
    if (bytes <= beforeEnd) return [this.view(position, bytes)]
    return [this.view(position, beforeEnd), this.view(0, bytes - beforeEnd)]
  }

  /** Copies all of `chunk` into the ring, and returns the position after it. */
  copyIn(position: number, chunk: Uint8Array): number {
    const bytes = chunk.length
    if (bytes <= LOOP_IN) this.#loopIn(position, chunk, bytes)
    else if (position + bytes > this.length) this.#roundIn(position, chunk, bytes)
    else this.#blockIn(position, chunk)
    return this.after(position, bytes)
  }

  /** Fills the first `bytes` of `target` from the ring. */
  copyOut(position: number, target: Uint8Array, bytes: number): void {
    if (position + bytes > this.length) this.#roundOut(position, target, bytes)
    else if (bytes <= LOOP_OUT_AGAIN && (position & 3) === 0 && this.#isLastTarget(target)) {
      this.#wordsOut(position, target, bytes)
    } else if (bytes <= LOOP_OUT) this.#loopOut(position, target, bytes)
    else this.#blockOut(position, target, 0, bytes)
  }

  /** Puts a number from 0 to 2^32-1 at a position that is a multiple of 4. */
  putUint32(position: number, value: number): void {
    this.#words[position >> 2] = value
  }

  /** The number that {@link putUint32} put there. */
  uint32At(position: number): number {
    return (this.#words[position >> 2] as number) >>> 0
  }

  /** {@link copyIn} round the end. */
  #roundIn(position: number, chunk: Uint8Array, bytes: number): void {
    const beforeEnd = this.length - position
    if (bytes <= LOOP_ROUND) this.#loopIn(position, chunk, bytes)
    else {
      this.#blockIn(position, chunk.subarray(0, beforeEnd))
      this.#blockIn(0, chunk.subarray(beforeEnd))
    }
  }

  /** {@link copyOut} round the end. */
  #roundOut(position: number, target: Uint8Array, bytes: number): void {
    const beforeEnd = this.length - position
    if (bytes <= LOOP_ROUND) this.#loopOut(position, target, bytes)
    else {
      this.#blockOut(position, target, 0, beforeEnd)
      this.#blockOut(0, target, beforeEnd, bytes - beforeEnd)
    }
  }

  #blockIn(position: number, chunk: Uint8Array): void {
    if (chunk.length < REALIGN || this.#isAligned(position, chunk, 0)) set.call(this.#bytes, chunk, position)
    else this.#realignIn(position, chunk)
  }

  #realignIn(position: number, chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; from += REALIGNED_BYTES) {
      const piece = chunk.subarray(from, from + REALIGNED_BYTES)
      const realigned = this.#realigned(position, piece.length)
      set.call(realigned, piece)
      set.call(this.#bytes, realigned, position + from)
    }
  }

  #blockOut(position: number, target: Uint8Array, at: number, bytes: number): void {
    if (bytes < REALIGN || this.#isAligned(position, target, at))
      set.call(target, this.view(position, bytes), at)
    else {
      for (let from = 0; from < bytes; from += REALIGNED_BYTES) {
        const realigned = this.#realigned(position, Math.min(bytes - from, REALIGNED_BYTES))
        set.call(realigned, this.view(position + from, realigned.length))
        set.call(target, realigned, at + from)
      }
    }
  }

  #isAligned(position: number, bytes: Uint8Array, at: number): boolean {
    return (this.#start + position - bytes.byteOffset - at) % WORD_BYTES === 0
  }

  /** Memory of this thread alone, as large as asked for and aligned like a position of the ring. */
  #realigned(position: number, bytes: number): Uint8Array {
    privateMemory ??= new ArrayBuffer(REALIGNED_BYTES + WORD_BYTES)
    return new Uint8Array(privateMemory, (this.#start + position) % WORD_BYTES, bytes)
  }

  #loopIn(position: number, chunk: Uint8Array, bytes: number): void {
    const own = this.#bytes
    for (let i = 0, at = position; i < bytes; i++) {
      own[at] = chunk[i] as number
      if (++at === this.length) at = 0
    }
  }

  #loopOut(position: number, target: Uint8Array, bytes: number): void {
    const own = this.#bytes
    for (let i = 0, at = position; i < bytes; i++) {
      target[i] = own[at] as number
      if (++at === this.length) at = 0
    }
  }

  #wordsOut(position: number, target: Uint8Array, bytes: number): void {
    const from = this.#words
    const to = this.#lastTargetWords as Int32Array
    const whole = bytes >> 2
    let word = position >> 2
    let i = 0
    for (; i + 4 <= whole; i += 4, word += 4) {
      to[i] = from[word] as number
      to[i + 1] = from[word + 1] as number
      to[i + 2] = from[word + 2] as number
      to[i + 3] = from[word + 3] as number
    }
    for (let at = 4 * i; at < bytes; at++) target[at] = this.#bytes[position + at] as number
  }

  /** Whether the last copy went to `target` too; then there are its words, if it is aligned and never changes its size. */
  #isLastTarget(target: Uint8Array): boolean {
    if (target !== this.#lastTarget) {
      this.#lastTarget = target
      this.#lastTargetWords = undefined
      return false
    }
    if (this.#lastTargetWords) return true
    const buffer: ArrayBufferLike & { resizable?: boolean; growable?: boolean } = target.buffer
    if (buffer.resizable || buffer.growable || target.byteOffset % 4 !== 0) return false
    this.#lastTargetWords = new Int32Array(buffer, target.byteOffset, target.length >> 2)
    return true
  }
}
