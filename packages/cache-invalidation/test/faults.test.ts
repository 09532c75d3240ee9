import { expect, it } from 'vitest'
import { connectionFaults } from './faults/connection-faults.js'
import { runClass } from './faults/run-class.js'
import { failoverFaults, singleServerFaults } from './faults/server-faults.js'
import { scratchyjs } from './faults/systems.js'
for (const kind of [...connectionFaults, ...singleServerFaults, ...failoverFaults] as any[])
  it(kind.name, async () => {
    const r = await runClass(scratchyjs(), kind, { count: 40, seed: 1, worlds: 8, settleMs: 3000, entry: '' })
    console.log({ ...r, recoveryMs: r.recoveryMs.map(Math.round).sort((a, b) => a - b).join(' ') })
  }, 60000)
