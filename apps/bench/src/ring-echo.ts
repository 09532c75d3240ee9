// The other thread of the round trips.
import { receive } from './ring/other-thread.js'
import { roundTripContenders } from './ring/round-trip-contenders.js'

receive(roundTripContenders)
