import { mainThreadMs } from '../main-thread-time.js'
import { interleave, median } from '../rounds.js'
import { contenders, type Setting } from './contenders.js'
import type { Fetched, LoadProcess } from './load-process.js'
import { startServer } from './server.js'

/** What a client and the server saw of one kind of page. */
export interface Served {
  threads: number
  bytes: number
  ascii: boolean
  contender: string
  rounds: (Fetched & { mainMsPerPage: number })[]
}

/** Connections of the load. */
const AT_ONCE = 8
const SIZES = [2048, 51_200, 512_000]

/** Pages rendered anew for every request, by all contenders, sizes, kinds of text and numbers of threads. */
export async function measureMatrix(
  files: Setting['files'],
  client: LoadProcess,
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<Served[]> {
  const results: Served[] = []
  for (const threads of [1, 2]) {
    const server = await startServer({ files, threads })
    try {
      for (const bytes of SIZES) {
        for (const ascii of [true, false]) {
          const measured = Object.keys(contenders).map(
            name =>
              [
                name,
                () => serve(client, server.url(name, { bytes, ascii }), quick ? 100 : 300, AT_ONCE),
              ] as const,
          )
          const all = await interleave<string, Served['rounds'][number]>(Object.fromEntries(measured), rounds)
          for (const [contender, rounds] of Object.entries(all)) {
            const served = { threads, bytes, ascii, contender, rounds }
            results.push(served)
            print(served)
          }
        }
      }
    } finally {
      await server.close()
    }
  }
  return results
}

/** What the load of so many connections saw, and what it cost the main thread. */
export async function serve(
  client: LoadProcess,
  url: string,
  milliseconds: number,
  atOnce: number,
): Promise<Served['rounds'][number]> {
  globalThis.gc?.()
  const before = mainThreadMs()
  const fetched = await client.load(url, milliseconds, atOnce)
  return { ...fetched, mainMsPerPage: (mainThreadMs() - before) / fetched.pages }
}

function print({ threads, bytes, ascii, contender, rounds }: Served): void {
  const of = (key: 'perSecond' | 'p50' | 'p99' | 'mainMsPerPage') => median(rounds.map(round => round[key]))
  console.log(
    `${threads} thread${threads > 1 ? 's' : ' '} ${`${bytes / 1024} KB`.padEnd(7)}${ascii ? 'ASCII    ' : 'non-ASCII'} ${contender.padEnd(17)}` +
      ` ${of('perSecond').toFixed(0).padStart(6)}/s  p50 ${of('p50').toFixed(2)} ms, p99 ${of('p99').toFixed(2)} ms, main thread ${of('mainMsPerPage').toFixed(3)} ms a page`,
  )
}
