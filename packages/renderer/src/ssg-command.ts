#!/usr/bin/env node
import { constants } from 'node:os'
import { parseSsgArguments, type SsgArguments, UsageError, usage } from './ssg-arguments.js'
import { orAborted } from './ssg-build.js'
import { existingFile, loadProps, loadRoutes } from './ssg-inputs.js'
import type { SsgResult } from './ssg-options.js'
import { runSsgPipeline } from './ssg-pipeline.js'
import { ProgressDisplay, printable } from './ssg-progress.js'

// `scratchy-ssg | head` takes its reader away, not the site's.
process.stdout.on('error', () => {})
const code = await main()
// What the routes and props modules hold open must not keep the command from its end, which waits for its text alone.
process.stdout.write('', () => process.exit(code))

async function main(): Promise<number> {
  try {
    const asked = parseSsgArguments(process.argv.slice(2))
    if (asked) return await build(asked)
    process.stdout.write(usage)
    return 0
  } catch (error) {
    const isUsage = error instanceof UsageError
    const hint = isUsage ? '\nscratchy-ssg --help says how it is used' : ''
    console.error(`scratchy-ssg: ${isUsage ? error.message : described(error)}${hint}`)
    return isUsage ? 2 : 1
  }
}

async function build({ worker, routes, out, props, threads, statuses }: SsgArguments): Promise<number> {
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Once: a second one ends the process at once.
    process.once(name, () => interrupt.abort(128 + constants.signals[name]))
  }
  const progress = new ProgressDisplay(process.stdout)
  try {
    const { signal } = interrupt
    const result = await runSsgPipeline({
      worker: existingFile('worker', worker),
      routes: await orAborted(() => loadRoutes(routes), signal),
      outDir: out,
      statuses,
      signal,
      onProgress: step => progress.show(step),
      ...(props && { getProps: await orAborted(() => loadProps(props), signal) }),
      ...(threads && { maxThreads: threads }),
    })
    progress.end()
    report(result)
    return result.failed.length > 0 ? 1 : 0
  } catch (error) {
    progress.end()
    if (!interrupt.signal.aborted) throw error
    console.error('scratchy-ssg: interrupted; the pages that are written are whole')
    return interrupt.signal.reason
  }
}

function report({ rendered, unchanged, failed, durationMs }: SsgResult): void {
  for (const { route, error } of failed)
    console.error(`failed ${printable(route)}: ${printable(error.message)}`)
  const seconds = (durationMs / 1000).toFixed(1)
  process.stdout.write(
    `${rendered.length} rendered, ${unchanged.length} unchanged, ${failed.length} failed in ${seconds} s\n`,
  )
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
