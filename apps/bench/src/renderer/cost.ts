import { fileURLToPath } from 'node:url'
import { createRenderer, type Renderer } from '@scratchyjs/renderer'
import { Piscina } from 'piscina'
import type { PageProps } from '../bench-page.js'
import { mainThreadMs } from '../main-thread-time.js'
import { repeated } from '../repeated.js'
import { interleave, median } from '../rounds.js'

/** Main-thread time of a page, by contender. */
export interface Cost {
  page: string
  bytes: number
  ascii: boolean
  /** Milliseconds a page of each round. */
  ms: Record<string, number[]>
}

/** Pages that cost nothing to make: only moving them is measured. */
export const costPages: readonly { page: string; bytes: number; ascii: boolean }[] = [
  { page: '2 KB', bytes: 2048, ascii: true },
  { page: '100 KB ASCII', bytes: 102_400, ascii: true },
  { page: '100 KB non-ASCII', bytes: 102_400, ascii: false },
  { page: '1 MB ASCII', bytes: 1_048_576, ascii: true },
  { page: '1 MB non-ASCII', bytes: 1_048_576, ascii: false },
]

const atOnce = 4
const threads = { minThreads: 1, maxThreads: 1 }

/** How much of the main thread's time it costs to get a page's bytes from a worker. */
export async function measureCost(
  files: { worker: URL; rival: URL },
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<Cost[]> {
  const slots = { slots: 16, slotSize: 2 ** 21 }
  const { worker } = files
  const shared = createRenderer({ worker, ...threads, ...slots })
  const payload = createRenderer({ worker, ...threads, ...slots, transport: 'payload' })
  // The renderer's own options for Piscina.
  const strings = new Piscina({
    filename: fileURLToPath(files.rival),
    ...threads,
    atomics: 'disabled',
    recordTiming: false,
  })
  const ways: Record<string, (props: PageProps) => () => Promise<void>> = {
    shared: props => rendering(shared, props),
    payload: props => rendering(payload, props),
    strings: props => async () => check(Buffer.from(await strings.run({ route: '/', props })), props),
  }
  // All sizes in one round, for their growth is a figure too.
  const measured = costPages.flatMap(page =>
    Object.entries(ways).map(([name, way]) => {
      const one = way({ ...page, made: 'ready' })
      return [`${page.page} ${name}`, () => perPage(quick ? 60 : 250, one)] as const
    }),
  )
  try {
    const ms = await interleave<string, number>(Object.fromEntries(measured), rounds)
    return costPages.map(page => {
      const byWay = Object.fromEntries(
        Object.keys(ways).map(name => [name, ms[`${page.page} ${name}`] as number[]]),
      )
      printCost(page.page, byWay)
      return { ...page, ms: byWay }
    })
  } finally {
    await Promise.all([shared.close(), payload.close(), strings.close()])
  }
}

function rendering(renderer: Renderer, props: PageProps): () => Promise<void> {
  return async () => {
    const page = await renderer.render({ route: '/', props })
    check(page.body, props)
    page.release()
  }
}

function check({ length }: Uint8Array, { bytes }: PageProps): void {
  if (length !== bytes) throw new Error(`the page has ${length} bytes, not ${bytes}`)
}

async function perPage(milliseconds: number, one: () => Promise<void>): Promise<number> {
  // What one contender leaves behind must not be collected at the expense of the next.
  globalThis.gc?.()
  const before = mainThreadMs()
  const { pages } = await repeated(milliseconds, atOnce, one)
  return (mainThreadMs() - before) / pages
}

export function printCost(page: string, ms: Record<string, number[]>): void {
  const costs = Object.entries(ms).map(([name, values]) => `${name} ${(median(values) * 1000).toFixed(1)} µs`)
  console.log(`${page.padEnd(18)}  ${costs.join('  ')}`)
}
