import type { ContractAdapter, ContractCapability } from './adapter.js'
import { Channel } from './channel.js'

/** What an invalidation bus or a cache over one must do. */
export interface ContractCase {
  name: string
  /** What the adapter lacks for it. Such a case is to be reported as skipped: `run` rejects. */
  skipped: ContractCapability[]
  /**
   * Resolves when the contract is kept.
   *
   * @throws AssertionError, or what the adapter threw
   */
  run(): Promise<void>
}

/** Cases by name. */
export type CaseList = Record<string, { needs: ContractCapability[]; run(channel: Channel): Promise<void> }>

/** The cases, to be tried on an adapter. */
export function contractCases(adapter: ContractAdapter, list: CaseList): ContractCase[] {
  return Object.entries(list).map(([name, { needs, run }]) => {
    const skipped = needs.filter(capability => !adapter[capability])
    return {
      name,
      skipped,
      async run() {
        if (skipped.length > 0)
          throw new Error(`Cannot try "${name}": the adapter has no ${skipped.join(', ')}`)
        const channel = new Channel(adapter)
        try {
          await run(channel)
        } finally {
          await channel.restore()
          await channel.close()
        }
      },
    }
  })
}
