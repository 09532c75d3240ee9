import { connect } from 'node:net'

/** Sends bytes as they are, as no HTTP client would, and reads until the server hangs up or has nothing more to say. */
export function rawRequest(
  port: number,
  request: string | Iterable<string>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const finish = () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text })
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')))
    socket.on('data', chunk => (text += chunk))
    socket.on('close', failed => !failed && finish())
    // A server that refuses a request half sent resets the connection; what it said before counts.
    socket.on('error', error => (text ? finish() : reject(error)))
    for (const part of typeof request === 'string' ? [request] : request) socket.write(part)
  })
}
