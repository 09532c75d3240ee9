// What is lost in faults of Redis and the network: this package beside other ways to keep caches in step.
//
//   node dist/faults.js --system scratchyjs,bentocache,cacheable,naive --count 50 --settle 2000
//
// A system that can't tell when it is in step gets all of --settle. The options are those of npm run test:faults.
import { fileURLToPath } from 'node:url'
import type { System } from '../../../packages/cache-invalidation/test/faults/cache-node.js'
import { faultsCommand } from '../../../packages/cache-invalidation/test/faults/command.js'
import { naive } from '../../../packages/cache-invalidation/test/faults/naive.js'
import { scratchyjs } from '../../../packages/cache-invalidation/test/faults/systems.js'
import { type Rival, rivals } from './invalidation/rivals.js'

/** `bentocache` for "bentocache 1.6.1". */
function asSystem({ name, open }: Rival): System {
  return {
    name: name.split(' ')[0] ?? name,
    needsOnePort: true,
    async open({ address }) {
      if (!('port' in address)) throw new TypeError(`${name} was asked to connect to several servers`)
      const { getOrLoad, invalidate, close } = await open({ port: address.port })
      return { getOrLoad: (key, load) => getOrLoad(key, () => load(key)), invalidate, close }
    },
  }
}

await faultsCommand([scratchyjs(), ...rivals.map(asSystem), naive], fileURLToPath(import.meta.url))
