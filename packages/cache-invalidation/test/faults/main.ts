// Faults by the thousand, as `npm run test:faults` runs them; --help tells the options.
import { fileURLToPath } from 'node:url'
import { faultsCommand } from './command.js'
import { systems } from './systems.js'

await faultsCommand(systems, fileURLToPath(import.meta.url))
