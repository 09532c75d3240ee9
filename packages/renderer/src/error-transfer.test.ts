import { describe, expect, it } from 'vitest'
import { RendererError } from './error.js'
import { decodeError, encodeError } from './error-transfer.js'

const transfer = (error: unknown) => decodeError(structuredClone(encodeError(error)))

describe('I12: an error that crosses from a worker', () => {
  it('keeps name, message, stack, code, statusCode and cause', () => {
    const error = Object.assign(new TypeError('no', { cause: new RangeError('deep') }), {
      code: 'E_NO',
      statusCode: 410,
    })
    const arrived = transfer(error)
    expect(arrived).toMatchObject({
      name: 'TypeError',
      message: 'no',
      code: 'E_NO',
      statusCode: 410,
      stack: error.stack,
    })
    expect(arrived.cause).toMatchObject({ name: 'RangeError', message: 'deep' })
    expect(Object.keys(arrived)).toEqual(['code', 'statusCode'])
  })

  it("is a RendererError again when it was one, with its code's status", () => {
    const arrived = transfer(new RendererError('INVALID_PAGE', 'render returned 1', new Error('why')))
    expect(arrived).toBeInstanceOf(RendererError)
    expect(arrived).toMatchObject({ code: 'INVALID_PAGE', statusCode: 500, cause: { message: 'why' } })
  })

  it('leaves behind what can not be cloned, and ends a cycle of causes', () => {
    const error: Error & { code?: unknown } = new Error('odd', { cause: () => {} })
    error.code = Symbol('code')
    expect(transfer(error)).toMatchObject({ message: 'odd', cause: { message: 'thrown: a function' } })
    const cycle: Error & { cause?: unknown } = new Error('cycle')
    cycle.cause = cycle
    expect(transfer(cycle).message).toBe('cycle')
  })

  it.each([
    [undefined, 'thrown: undefined'],
    [null, 'thrown: null'],
    ['text', 'thrown: text'],
    [7, 'thrown: 7 (number)'],
    [{ a: 1 }, 'thrown: Object'],
    [Object.create(null), 'thrown: object'],
  ])('may be no error at all: %o', (thrown, message) => {
    expect(transfer(thrown).message).toBe(message)
  })

  it('may be an error that throws when it is looked at', () => {
    const error = new Error('x')
    Object.defineProperty(error, 'message', {
      get() {
        throw new Error('no')
      },
    })
    expect(transfer(error).message).toContain('can not be read')
  })
})
