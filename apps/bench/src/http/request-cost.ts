import type { Cost } from '../renderer/cost.js'
import { costPages } from '../renderer/cost.js'
import { interleave, median } from '../rounds.js'
import type { Setting } from './contenders.js'
import type { LoadProcess } from './load-process.js'
import { serve } from './matrix.js'
import { startServer } from './server.js'

/** Main-thread time of a request for a page that costs nothing to make. */
export async function measureRequestCost(
  files: Setting['files'],
  client: LoadProcess,
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<Cost[]> {
  const names = ['shared', 'strings']
  const server = await startServer({ files, threads: 1 }, names)
  const results: Cost[] = []
  try {
    for (const page of costPages) {
      const measured = names.map(name => {
        const url = server.url(name, { ...page, made: 'ready' })
        return [name, async () => (await serve(client, url, quick ? 100 : 400, 4)).mainMsPerPage] as const
      })
      const ms = await interleave<string, number>(Object.fromEntries(measured), rounds)
      results.push({ ...page, ms })
      const costs = Object.entries(ms).map(
        ([name, values]) => `${name} ${(median(values) * 1000).toFixed(0)} µs`,
      )
      console.log(`${page.page.padEnd(18)}  ${costs.join('  ')}`)
    }
  } finally {
    await server.close()
  }
  return results
}
