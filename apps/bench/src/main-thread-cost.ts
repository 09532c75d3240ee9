// How much of the main thread's time one page costs: shared transport against the same pool with the page as a string
// in the task's result. Once up to the bytes that go to a socket, once through Fastify to a client in another process.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createRenderer } from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify from 'fastify'
import { Piscina } from 'piscina'
import { clock, mainThreadMs } from './main-thread-time.js'
import { interleave, median } from './rounds.js'

const exec = promisify(execFile)
const worker = new URL('./render-worker.js', import.meta.url)
const filename = fileURLToPath(new URL('./string-worker.js', import.meta.url))
const rounds = 7
const atOnce = 4
const threads = { minThreads: 1, maxThreads: 1 }

const sizes = [
  { name: '2 KB', bytes: 2_048, ascii: true, pages: 3_000, target: 1.25 },
  { name: '100 KB ASCII', bytes: 102_400, ascii: true, pages: 1_000 },
  { name: '100 KB non-ASCII', bytes: 102_400, ascii: false, pages: 1_000, target: 0.4 },
  { name: '1 MB non-ASCII', bytes: 1_048_576, ascii: false, pages: 150 },
]

const renderer = createRenderer({ worker, ...threads, slots: 16, slotSize: 2 ** 21 })
// The same pool: the same Piscina options as the renderer gives its own.
const strings = new Piscina({ filename, ...threads, atomics: 'disabled', recordTiming: false })

const app = Fastify()
await app.register(rendererPlugin, { worker, ...threads, slots: 16, slotSize: 2 ** 21 })
app.get<{ Querystring: { bytes: string; ascii: string } }>('/shared', (request, reply) =>
  reply.render({ route: '/', props: propsOf(request.query) }),
)
app.get<{ Querystring: { bytes: string; ascii: string } }>('/string', async (request, reply) => {
  const html: string = await strings.run({ route: '/', props: propsOf(request.query) })
  return reply.type('text/html; charset=utf-8').send(html)
})
const origin = await app.listen({ host: '127.0.0.1', port: 0 })

function propsOf({ bytes, ascii }: { bytes: string; ascii: string }) {
  return { bytes: Number(bytes), ascii: ascii === 'true' }
}

/** Main-thread milliseconds per page of `pages` calls, `atOnce` at a time. */
async function perPage(pages: number, one: () => Promise<void>): Promise<number> {
  const before = mainThreadMs()
  let left = pages
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await one()
    }),
  )
  return (mainThreadMs() - before) / pages
}

async function perRequest(route: string, { bytes, ascii, pages }: (typeof sizes)[number]): Promise<number> {
  const before = mainThreadMs()
  await exec(process.execPath, [
    fileURLToPath(new URL('./load.js', import.meta.url)),
    `${origin}${route}?bytes=${bytes}&ascii=${ascii}`,
    `${pages}`,
    `${atOnce}`,
  ])
  return (mainThreadMs() - before) / pages
}

console.log(
  `Main-thread ${clock === 'cpu' ? 'CPU' : 'active'} time per page, median of ${rounds} interleaved rounds`,
)
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}\n`)
const results = []
let sent = 0
for (const size of sizes) {
  const context = { route: '/', props: { bytes: size.bytes, ascii: size.ascii } }
  const measured = {
    'to bytes': await interleave(
      {
        shared: () =>
          perPage(size.pages, async () => {
            const page = await renderer.render(context)
            sent += page.body.length
            page.release()
          }),
        string: () =>
          perPage(size.pages, async () => {
            const html: string = await strings.run(context)
            sent += Buffer.from(html).length
          }),
      },
      rounds,
    ),
    'over HTTP': await interleave(
      { shared: () => perRequest('/shared', size), string: () => perRequest('/string', size) },
      rounds,
    ),
  }
  for (const [path, { shared, string }] of Object.entries(measured)) {
    const ratios = shared.map((value, i) => value / (string[i] as number))
    const row = {
      page: size.name,
      path,
      sharedMs: median(shared),
      stringMs: median(string),
      ratio: median(ratios),
      ratioMin: Math.min(...ratios),
      ratioMax: Math.max(...ratios),
      ...(size.target && { target: size.target }),
    }
    results.push(row)
    console.log(
      `${row.page.padEnd(18)} ${path.padEnd(10)} shared ${row.sharedMs.toFixed(4)} ms  string ${row.stringMs.toFixed(4)} ms` +
        `  ratio ${row.ratio.toFixed(3)} (${row.ratioMin.toFixed(3)}–${row.ratioMax.toFixed(3)})${size.target ? `  target ≤ ${size.target}` : ''}`,
    )
  }
}
await Promise.all([renderer.close(), strings.close(), app.close()])

const folder = new URL('../results/', import.meta.url)
await mkdir(folder, { recursive: true })
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node }
await writeFile(
  new URL('main-thread-cost.json', folder),
  `${JSON.stringify({ machine, clock, rounds, atOnce, results }, null, 2)}\n`,
)
if (sent === 0) throw new Error('no page was rendered')
