import { connectionFaults } from './connection-faults.js'
import type { FaultClass } from './fault-class.js'
import { failoverFaults, singleServerFaults } from './server-faults.js'
import { clusterFaults, sentinelFaults } from './topology-faults.js'

/** All kinds of faults. A class only ever meets worlds of its own. */
export const faultClasses: readonly FaultClass[] = [
  ...connectionFaults,
  ...singleServerFaults,
  ...failoverFaults,
  ...clusterFaults,
  ...sentinelFaults,
] as unknown as FaultClass[]

/** Those whose names contain the text; all without one. */
export function classesNamed(text = ''): FaultClass[] {
  const named = faultClasses.filter(({ name }) => name.includes(text))
  if (named.length === 0)
    throw new RangeError(
      `No class of faults is called "${text}": there are ${faultClasses.map(({ name }) => name).join(', ')}`,
    )
  return named
}
