import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

/** Runs a script in a process of its own; rejects unless it ends by itself, with 0. */
async function run(text: string): Promise<string> {
  const file = join(await mkdtemp(join(inject('folder'), 'messages-')), 'script.mjs')
  const imports = `import { createMessageRing, MessageReceiver, MessageSender } from '@scratchyjs/ring-buffer'`
  await writeFile(
    file,
    `${imports}
    const { buffer } = createMessageRing({ capacity: 20 })
    const sender = new MessageSender(buffer)
    const receiver = new MessageReceiver(buffer)
    ${text}`,
  )
  return (await promisify(execFile)(process.execPath, [file], { timeout: 15_000 })).stdout
}

test('I11: a call that waits keeps the process alive until its turn has come', async () => {
  const output = await run(`
    setTimeout(() => sender.trySend(new Uint8Array(3)), 100).unref()
    console.log((await receiver.receiveAsync()).length)
  `)
  expect(output).toBe('3\n')
})

test('I11: to want to know of a cancellation keeps no process alive', async () => {
  expect(await run(`sender.cancelled.then(() => console.log('never')); console.log('done')`)).toBe('done\n')
})
