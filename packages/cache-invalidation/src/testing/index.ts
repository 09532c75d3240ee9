import type { ContractAdapter } from './adapter.js'
import { busCases } from './bus-cases.js'
import { cacheCases } from './cache-cases.js'
import { type ContractCase, contractCases } from './contract-case.js'

export type {
  ContractAdapter,
  ContractCache,
  ContractCapability,
  ContractHandlers,
  ContractPublisher,
  ContractSubscriber,
} from './adapter.js'
export type { ContractCase } from './contract-case.js'

/**
 * What this package promises, as cases for any runner of tests, to be run one at a time: on another bus, another
 * Redis, or a cache of your own.
 *
 * ```js
 * for (const { name, skipped, run } of invalidationContract(adapter)) test(name, { skip: skipped.length > 0 }, run)
 * ```
 */
export function invalidationContract(adapter: ContractAdapter): ContractCase[] {
  return contractCases(adapter, { ...busCases, ...cacheCases })
}
