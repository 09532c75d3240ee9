import { interleave, median } from '../rounds.js'
import { threeDigits } from '../units.js'
import type { Setting } from './contenders.js'
import type { Fetched, LoadProcess } from './load-process.js'
import { startServer } from './server.js'

/** How long `/api/ping` took while documents were rendered. */
export interface Pings {
  /** What rendered them; none when nothing else went on. */
  contender: string
  /** Documents per second and pings, by round. */
  rounds: { documents: number; ping: Fetched }[]
}

/** Takes some milliseconds to render. */
const DOCUMENT = { bytes: 204_800, ascii: true }
const PACE_MS = 5
const AT_ONCE = 4

/** One process asks for documents, another for pings. */
export async function measurePings(
  files: Setting['files'],
  client: LoadProcess,
  pinger: LoadProcess,
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<Pings[]> {
  const names = ['main thread', 'strings', 'fastify-piscina', 'shared']
  const server = await startServer({ files, threads: 1 }, names)
  const milliseconds = quick ? 500 : 1500
  const pings = () => pinger.pace(server.pingUrl, milliseconds, PACE_MS)
  try {
    const measured = names.map(name => {
      const url = server.url(name, DOCUMENT)
      const run = async () => {
        const [documents, ping] = await Promise.all([client.load(url, milliseconds, AT_ONCE), pings()])
        return { documents: documents.perSecond, ping }
      }
      return [name, run] as const
    })
    const all = await interleave<string, Pings['rounds'][number]>(
      { none: async () => ({ documents: 0, ping: await pings() }), ...Object.fromEntries(measured) },
      rounds,
    )
    return Object.entries(all).map(([contender, rounds]) => {
      const of = (key: 'p50' | 'p99') => threeDigits(median(rounds.map(({ ping }) => ping[key])))
      const documents = median(rounds.map(one => one.documents)).toFixed(0)
      console.log(
        `${contender.padEnd(17)}  p50 ${of('p50')} ms, p99 ${of('p99')} ms, ${documents} documents/s`,
      )
      return { contender, rounds }
    })
  } finally {
    await server.close()
  }
}
