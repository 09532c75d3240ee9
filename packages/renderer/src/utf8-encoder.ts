const encoder = new TextEncoder()

/** Encodes a text that comes in parts: a surrogate pair may be cut between two of them. */
export class Utf8Encoder {
  #high = ''

  encode(part: string): Uint8Array {
    let text = this.#high + part
    const last = text.charCodeAt(text.length - 1)
    const isCut = last >= 0xd800 && last <= 0xdbff
    this.#high = isCut ? text.slice(-1) : ''
    if (isCut) text = text.slice(0, -1)
    return encoder.encode(text)
  }

  /** What a cut pair left behind, when bytes follow or nothing. */
  end(): Uint8Array {
    const left = encoder.encode(this.#high)
    this.#high = ''
    return left
  }
}
