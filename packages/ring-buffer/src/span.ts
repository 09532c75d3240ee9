/** Below this many bytes a loop costs less than making the views that a block copy takes. */
const SMALL = 16

type Data = Uint8Array<SharedArrayBuffer>

/** Views of `bytes` bytes of the ring from `position` on: one, two where they go round its end, none for 0. */
export function spans(data: Data, position: number, bytes: number): Data[] {
  if (bytes === 0) return []
  const beforeEnd = data.length - position
  if (bytes <= beforeEnd) return [data.subarray(position, position + bytes)]
  return [data.subarray(position), data.subarray(0, bytes - beforeEnd)]
}

/** Copies all of `chunk` into the ring, and returns the position after it. */
export function copyIn(data: Data, position: number, chunk: Uint8Array): number {
  const bytes = chunk.length
  const beforeEnd = data.length - position
  if (bytes <= SMALL) {
    for (let i = 0, at = position; i < bytes; i++) {
      data[at] = chunk[i] as number
      if (++at === data.length) at = 0
    }
  } else if (bytes <= beforeEnd) {
    data.set(chunk, position)
  } else {
    data.set(chunk.subarray(0, beforeEnd), position)
    data.set(chunk.subarray(beforeEnd))
  }
  return bytes < beforeEnd ? position + bytes : bytes - beforeEnd
}

/** Fills the first `bytes` of `target` from the ring. */
export function copyOut(data: Data, position: number, target: Uint8Array, bytes: number): void {
  const beforeEnd = data.length - position
  if (bytes <= SMALL) {
    for (let i = 0, at = position; i < bytes; i++) {
      target[i] = data[at] as number
      if (++at === data.length) at = 0
    }
  } else if (bytes <= beforeEnd) {
    target.set(data.subarray(position, position + bytes))
  } else {
    target.set(data.subarray(position))
    target.set(data.subarray(0, bytes - beforeEnd), beforeEnd)
  }
}
