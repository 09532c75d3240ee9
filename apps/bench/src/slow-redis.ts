// A process of its own: a proxy to the Redis on the port argv[2], whose answers are argv[3] milliseconds late.
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'

const [target, delayMs] = process.argv.slice(2).map(Number) as [number, number]
const proxy = await startProxy(target)
proxy.delayMs = delayMs
process.send?.(proxy.port)
process.on('disconnect', () => process.exit())
