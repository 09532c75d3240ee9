// The other thread of the throughput measurements.
import { receive } from './ring/other-thread.js'
import { throughputContenders } from './ring/throughput-contenders.js'

receive(throughputContenders)
