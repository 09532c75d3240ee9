import { type Cost, costPages, printCost } from '../renderer/cost.js'
import { interleave } from '../rounds.js'
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
      printCost(page.page, ms)
    }
  } finally {
    await server.close()
  }
  return results
}
