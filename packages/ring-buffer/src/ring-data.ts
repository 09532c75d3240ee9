/** Up to this many bytes a loop costs less than a block copy into the ring. */
const LOOP_IN = 20
/** The same out of the ring, where a block copy needs a view made for it, which is garbage afterwards. */
const LOOP_OUT = 32
/** The same for a target that is used again and again, so that it is worth a `DataView` of its own. */
const LOOP_OUT_AGAIN = 128
/** From this many bytes on, two copies cost less than one between addresses that are aligned differently. */
const REALIGN = 256
/** How V8 copies from and to shared memory: a word at a time where both sides are aligned alike, or else bytes. */
const WORD_BYTES = 8
const REALIGNED_BYTES = 65_536

let privateMemory: ArrayBuffer | undefined

type View = Uint8Array<SharedArrayBuffer>

/** The data of a ring: `length` bytes of shared memory from `start` on, where positions go round the end. */
export class RingData {
  readonly length: number
  readonly #buffer: SharedArrayBuffer
  readonly #start: number
  readonly #bytes: View
  readonly #words: DataView<SharedArrayBuffer>
  #lastTarget: Uint8Array | undefined
  #lastTargetWords: DataView | undefined

  constructor(buffer: SharedArrayBuffer, start: number, length: number) {
    this.length = length
    this.#buffer = buffer
    this.#start = start
    this.#bytes = new Uint8Array(buffer, start, length)
    this.#words = new DataView(buffer, start, length)
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
    const beforeEnd = this.length - position
    if (bytes > beforeEnd) {
      this.#blockIn(position, chunk.subarray(0, beforeEnd))
      this.#blockIn(0, chunk.subarray(beforeEnd))
      return bytes - beforeEnd
    }
    if (bytes > LOOP_IN) this.#blockIn(position, chunk)
    else this.#loopIn(position, chunk, bytes)
    return bytes < beforeEnd ? position + bytes : 0
  }

  /** Fills the first `bytes` of `target` from the ring. */
  copyOut(position: number, target: Uint8Array, bytes: number): void {
    const beforeEnd = this.length - position
    if (bytes > beforeEnd) {
      this.#blockOut(position, target, 0, beforeEnd)
      this.#blockOut(0, target, beforeEnd, bytes - beforeEnd)
    } else if (bytes <= LOOP_OUT_AGAIN && this.#isLastTarget(target)) {
      this.#wordsOut(position, this.#lastTargetWords as DataView, bytes)
    } else if (bytes > LOOP_OUT) this.#blockOut(position, target, 0, bytes)
    else this.#loopOut(position, target, bytes)
  }

  /** Puts a number of four bytes into the ring, the least significant one first; it must not go round the end. */
  putUint32(position: number, value: number): void {
    this.#words.setUint32(position, value, true)
  }

  /** The number that {@link putUint32} put there. */
  uint32At(position: number): number {
    return this.#words.getUint32(position, true)
  }

  #blockIn(position: number, chunk: Uint8Array): void {
    if (chunk.length < REALIGN || this.#isAligned(position, chunk, 0)) this.#bytes.set(chunk, position)
    else {
      for (let from = 0; from < chunk.length; from += REALIGNED_BYTES) {
        const piece = chunk.subarray(from, from + REALIGNED_BYTES)
        const realigned = this.#realigned(position, piece.length)
        realigned.set(piece)
        this.#bytes.set(realigned, position + from)
      }
    }
  }

  #blockOut(position: number, target: Uint8Array, at: number, bytes: number): void {
    if (bytes < REALIGN || this.#isAligned(position, target, at)) target.set(this.view(position, bytes), at)
    else {
      for (let from = 0; from < bytes; from += REALIGNED_BYTES) {
        const realigned = this.#realigned(position, Math.min(bytes - from, REALIGNED_BYTES))
        realigned.set(this.view(position + from, realigned.length))
        target.set(realigned, at + from)
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
    for (let i = 0; i < bytes; i++) own[position + i] = chunk[i] as number
  }

  #loopOut(position: number, target: Uint8Array, bytes: number): void {
    const own = this.#bytes
    for (let i = 0; i < bytes; i++) target[i] = own[position + i] as number
  }

  #wordsOut(position: number, target: DataView, bytes: number): void {
    const words = this.#words
    let i = 0
    for (; i + 16 <= bytes; i += 16) {
      target.setInt32(i, words.getInt32(position + i, true), true)
      target.setInt32(i + 4, words.getInt32(position + i + 4, true), true)
      target.setInt32(i + 8, words.getInt32(position + i + 8, true), true)
      target.setInt32(i + 12, words.getInt32(position + i + 12, true), true)
    }
    for (; i < bytes; i++) target.setUint8(i, words.getUint8(position + i))
  }

  /** Whether the last copy went to `target` too; then there is a `DataView` of it, unless its size may change. */
  #isLastTarget(target: Uint8Array): boolean {
    if (target !== this.#lastTarget) {
      this.#lastTarget = target
      this.#lastTargetWords = undefined
      return false
    }
    if (this.#lastTargetWords) return true
    const buffer: ArrayBufferLike & { resizable?: boolean; growable?: boolean } = target.buffer
    if (buffer.resizable || buffer.growable) return false
    this.#lastTargetWords = new DataView(buffer, target.byteOffset, target.byteLength)
    return true
  }
}
