const encoder = new TextEncoder()

export const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Encodes a text that comes in parts: a surrogate pair may be cut between two of them. */
export class Utf8Encoder {
  readonly #scratch: Uint8Array
  #high = ''

  /** @param scratch memory for parts that fit into it for certain: their bytes are valid until the next part */
  constructor(scratch: Uint8Array = NO_BYTES) {
    this.#scratch = scratch
  }

  encode(part: string): Uint8Array {
    let text = this.#high + part
    const last = text.charCodeAt(text.length - 1)
    const isCut = last >= 0xd800 && last <= 0xdbff
    this.#high = isCut ? text.slice(-1) : ''
    if (isCut) text = text.slice(0, -1)
    // A unit of UTF-16 takes 3 bytes at most.
    if (text.length * 3 > this.#scratch.length) return encoder.encode(text)
    return this.#scratch.subarray(0, encoder.encodeInto(text, this.#scratch).written)
  }

  /** What a cut pair left behind, when bytes follow or nothing. */
  end(): Uint8Array {
    if (this.#high === '') return NO_BYTES
    const left = encoder.encode(this.#high)
    this.#high = ''
    return left
  }
}
