import { interleave, median } from '../rounds.js'
import { threeDigits } from '../units.js'
import type { Setting } from './contenders.js'
import type { Fetched, LoadProcess } from './load-process.js'
import { startServer } from './server.js'

/** When the first byte of a page came that is rendered in parts. */
export interface FirstBytes {
  contender: string
  rounds: Fetched[]
}

/** The same page, rendered the same way, sent whole or as it is made; one at a time. */
export async function measureFirstBytes(
  files: Setting['files'],
  client: LoadProcess,
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<FirstBytes[]> {
  const names = ['shared', 'shared, streamed', 'MessagePort']
  const server = await startServer({ files, threads: 1 }, names)
  try {
    const measured = names.map(name => {
      const url = server.url(name, { bytes: 512_000, ascii: true, made: 'parts' })
      return [name, () => client.load(url, quick ? 200 : 800, 1)] as const
    })
    const all = await interleave<string, Fetched>(Object.fromEntries(measured), rounds)
    return Object.entries(all).map(([contender, rounds]) => {
      const of = (key: 'firstByte' | 'p50') => threeDigits(median(rounds.map(round => round[key])))
      console.log(`${contender.padEnd(17)}  first byte ${of('firstByte')} ms, whole page ${of('p50')} ms`)
      return { contender, rounds }
    })
  } finally {
    await server.close()
  }
}
