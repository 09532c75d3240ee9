// The process that is told which keys are stale: notes when each arrived. Its parent says what to listen to.
import { microseconds } from './invalidation/clock.js'
import { contenders } from './invalidation/contenders.js'
import type { Heard, Request } from './invalidation/listener.js'

const heard = new Map<string, Heard>()

async function listen(name: string, port: number): Promise<void> {
  const notes: Heard = { count: 0, latest: 0, arrivals: [] }
  heard.set(name, notes)
  await contenders[name]?.listen(port, key => {
    notes.latest = microseconds()
    notes.count += 1
    // Keys are numbers: how many there are is told before.
    notes.arrivals[Number(key)] = notes.latest
  })
}

process.on('message', async (request: Request) => {
  try {
    if (request.ask === 'listen') await listen(request.name, request.port)
    const notes = heard.get(request.name) as Heard
    process.send?.(notes)
    if (request.ask === 'collect') heard.set(request.name, Object.assign(notes, { count: 0, arrivals: [] }))
  } catch (error) {
    process.send?.({ error: `${error}` })
  }
})
process.on('disconnect', () => process.exit())
