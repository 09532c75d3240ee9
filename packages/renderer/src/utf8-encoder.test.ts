import { expect, it } from 'vitest'
import { Utf8Encoder } from './utf8-encoder.js'

const encodedInParts = (parts: string[]) => {
  const encoder = new Utf8Encoder()
  return Buffer.concat([...parts.map(part => encoder.encode(part)), encoder.end()]).toString()
}

it('I11: a text cut anywhere is the same text, and a lone half is a replacement character', () => {
  const text = 'a🎈ż\ud83cb🎈\ud83c'
  const whole = Buffer.from(text).toString()
  for (let i = 0; i <= text.length; i++) {
    for (let j = i; j <= text.length; j++) {
      expect(encodedInParts([text.slice(0, i), text.slice(i, j), '', text.slice(j)])).toBe(whole)
    }
  }
})
