import { createRenderer } from '@scratchyjs/renderer'

// Run with NODE_ENV=production: prints what each API of a framework makes of an error in the shell.
const [worker, ...routes] = process.argv.slice(2)
const renderer = createRenderer({ worker: new URL(worker, import.meta.url), maxThreads: 1 })
const outcomes = {}
for (const route of routes) {
  const page = renderer.render({ route, props: { end: 'shell' } })
  outcomes[route] = await page.then(
    () => 'a page',
    error => error.message,
  )
}
await renderer.close()
console.log(JSON.stringify(outcomes))
