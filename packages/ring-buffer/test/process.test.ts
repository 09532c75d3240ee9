import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, inject, test } from 'vitest'

let scripts = 0
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Puts a script where it can import the package as users do. */
async function script(text: string): Promise<string> {
  const file = join(inject('folder'), `script-${process.pid}-${scripts++}.mjs`)
  await writeFile(file, `import { SharedRingBuffer } from '@scratchyjs/ring-buffer'\n${text}`)
  return file
}

/** Runs a script in a process of its own, which is killed if it doesn't end by itself. */
async function run(text: string, ...flags: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [...flags, await script(text)], { timeout: 15_000 })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, output }
}

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

test('I11: the heap is flat over a hundred thousand waits that are given up', async () => {
  const { code, output } = await run(
    `
      const ring = new SharedRingBuffer(10)
      const lasting = new AbortController().signal
      async function waitInVain(batches) {
        for (let batch = 0; batch < batches; batch++) {
          const waits = []
          for (let i = 0; i < 500; i++) {
            const controller = new AbortController()
            waits.push(ring.waitReadableAsync(1, { signal: controller.signal }))
            controller.abort()
          }
          // On the eleventh listener that stays Node prints a warning, which is no number.
          for (let i = 0; i < 5; i++) waits.push(ring.waitReadableAsync(2, { signal: lasting, timeoutMs: 1 }))
          await Promise.allSettled(waits)
        }
        gc()
        return process.memoryUsage().heapUsed
      }
      const before = await waitInVain(20)
      console.log((await waitInVain(200)) - before)
    `,
    '--expose-gc',
  )
  expect(code).toBe(0)
  expect(Number(output)).toBeLessThan(2_000_000)
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
    '--allow-natives-syntax',
  )
  expect({ code, output }).toEqual({
    code: 0,
    output:
      'false true\nRingBufferError WAIT_NOT_ALLOWED Cannot block this thread: Atomics.wait is not allowed on it, wait asynchronously instead TypeError\n',
  })
})
