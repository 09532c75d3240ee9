import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Sends one command to a server on the loopback interface over a connection of its own, and answers the reply as it
 * came (RESP2), without the last line break. Words with spaces are in double quotes. Throws what Redis refuses.
 */
export function askRedis(port: number, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // Half closed, so the server answers and then closes too: the reply is all that came. A sentinel knows no QUIT.
    const socket = connect(port, '127.0.0.1', () => socket.end(`${words.join(' ')}\r\n`))
    let reply = ''
    const refuse = (why: string) => reject(new Error(`${words.join(' ')} at port ${port}: ${why}`))
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer in 5 s')))
    socket.setEncoding('utf8').on('data', text => (reply += text))
    socket.once('error', error => refuse(error.message))
    socket.once('close', () => {
      if (reply.startsWith('-')) refuse(reply.trim())
      else if (!reply.endsWith('\r\n')) refuse(`the connection ended after ${JSON.stringify(reply)}`)
      else resolve(reply.slice(0, -2))
    })
  })
}

/** Looks every 20 ms until `isSo` answers true; its errors count as "not yet". */
export async function eventually(
  what: string,
  isSo: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      if (await isSo()) return
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`After ${timeoutMs} ms still not: ${what}`, { cause: last })
    await sleep(20)
  }
}
