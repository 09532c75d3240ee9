import { expect, test } from 'vitest'
import { run, script } from './run-script.js'

// Node ends a process with 13 when it is idle while the script still awaits something.
test('I11: a pending asynchronous wait keeps the process alive until the bytes come', async () => {
  expect(
    await run(`
      const ring = new SharedRingBuffer(10)
      setTimeout(() => ring.write(new Uint8Array(3)), 100).unref()
      console.log(await ring.waitReadableAsync(3), ring.availableToRead)
    `),
  ).toEqual({ code: 0, output: 'true 3\n' })
})

test('I11: so does one with a timeout, and a thread is kept alive as well', async () => {
  const worker = await script(`
    import { workerData } from 'node:worker_threads'
    const ring = SharedRingBuffer.fromSharedBuffer(workerData)
    await ring.waitReadableAsync(3, { timeoutMs: 12_000 })
    console.log('worker', ring.availableToRead)
  `)
  expect(
    await run(`
      import { Worker } from 'node:worker_threads'
      const ring = new SharedRingBuffer(10)
      const worker = new Worker(${JSON.stringify(worker)}, { workerData: ring.getSharedBuffer() })
      worker.once('online', () => setTimeout(() => ring.write(new Uint8Array(3)), 100))
      worker.once('exit', code => console.log('exit', code))
    `),
  ).toEqual({ code: 0, output: 'worker 3\nexit 0\n' })
})

test('I11: a process ends by itself after its waits have been aborted, timed out or satisfied', async () => {
  expect(
    await run(`
      const ring = new SharedRingBuffer(10)
      const controller = new AbortController()
      const aborted = ring.waitReadableAsync(1, { signal: controller.signal, timeoutMs: 3_600_000 })
      controller.abort(new Error('enough'))
      console.log(await aborted.catch(error => error.message))
      console.log(await ring.waitReadableAsync(1, { timeoutMs: 10 }))
      const satisfied = ring.waitReadableAsync(1)
      ring.write(new Uint8Array(1))
      console.log(await satisfied)
    `),
  ).toEqual({ code: 0, output: 'enough\nfalse\ntrue\n' })
})

test('a blocking wait where threads must not block says so, and what to do instead', async () => {
  const { code, output } = await run(
    `
      %SetAllowAtomicsWait(false)
      const ring = new SharedRingBuffer(10)
      console.log(ring.waitReadable(1, { timeoutMs: 0 }), ring.waitWritable(10))
      try {
        ring.waitReadable()
      } catch (error) {
        console.log(error.name, error.code, error.message, error.cause.constructor.name)
      }
    `,
    { flags: ['--allow-natives-syntax'] },
  )
  expect({ code, output }).toEqual({
    code: 0,
    output:
      'false true\nRingBufferError WAIT_NOT_ALLOWED Cannot block this thread: Atomics.wait is not allowed on it, wait asynchronously instead TypeError\n',
  })
})
