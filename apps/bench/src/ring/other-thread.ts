import { parentPort, workerData } from 'node:worker_threads'
import { CallCounts } from './call-counts.js'
import type { Contender, Link, Loop } from './contender.js'
import { Gate, Patience } from './gate.js'
import type { Order } from './lane.js'

type Receiver = Pick<Contender<never>, 'consumer'>

/** Plays the receiving side of the contender that this worker was started for, until it is terminated. */
export function receive(contenders: Record<string, Receiver>): void {
  const { consumer } = contenders[workerData as string] as Receiver
  let gate: Gate
  let consume: Loop
  parentPort?.on('message', async (order: Order) => {
    if ('link' in order) {
      gate = new Gate(order.gate)
      consume = consumer(order.link as Link<never>)
      parentPort?.postMessage('open')
      return
    }
    try {
      const patience = new Patience(gate)
      gate.become('ready')
      while (!gate.is('go')) patience.retry()
      const counts = order.counting ? new CallCounts() : undefined
      const carried = consume(order.count, patience)
      if (carried) await carried
      counts?.stop()
      gate.report(counts ?? { notifies: 0, sleeps: 0 })
      gate.become('done')
    } catch (error) {
      parentPort?.postMessage(error)
      gate.become('failed')
    }
  })
}
