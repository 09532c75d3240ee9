import { expect, test } from 'vitest'
import { run } from './run-script.js'

const setup = `
  const { buffer } = createMessageRing({ capacity: 20 })
  const sender = new MessageSender(buffer)
  const receiver = new MessageReceiver(buffer)
`

test('I11: a call that waits keeps the process alive until its turn has come', async () => {
  const { code, output } = await run(`${setup}
    setTimeout(() => sender.trySend(new Uint8Array(3)), 100).unref()
    console.log((await receiver.receiveAsync()).length)
  `)
  expect({ code, output }).toEqual({ code: 0, output: '3\n' })
})

test('I11: to want to know of a cancellation keeps no process alive', async () => {
  expect(
    await run(`${setup} sender.cancelled.then(() => console.log('never')); console.log('done')`),
  ).toEqual({
    code: 0,
    output: 'done\n',
  })
})

test('I17: a peer that dies ends the wait for it, and so the process', async () => {
  const { code, output } = await run(`
    import { Worker } from 'node:worker_threads'
    const { buffer } = createMessageRing({ capacity: 20 })
    const peer = new Worker('setTimeout(() => process.exit(3), 50)', { eval: true })
    await new MessageReceiver(buffer, { peer }).receiveAsync().catch(error => console.log(error.code))
  `)
  expect({ code, output }).toEqual({ code: 0, output: 'PEER_GONE\n' })
})
