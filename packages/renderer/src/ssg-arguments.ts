import { parseArgs } from 'node:util'
import { MOST_THREADS } from './control-words.js'

/** A command line that can't be: exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

export const usage = `Usage: scratchy-ssg --worker <file> --routes <file> --out <folder> [options]

Renders every route to a file of a folder.

  --worker <file>         the worker file, whose default export is made by defineRenderer()
  --routes <file>         .txt: a route per line, # starts a comment line; .json: an array of strings;
                          .js, .mjs: a default export that is an array, an iterable, or a function that gives one
  --out <folder>          where the site goes; files that would not change are left alone
  --props <file>          a module whose default export makes a route's props: (route, { signal }) => props
  --threads <n>           threads at most; one less than the machine's cores if not given
  --status <route=code>   the status a route must have where it is not 200, such as /404=404; may be repeated
  --help                  this text

Exit codes: 0 all written, 1 something failed, 2 wrong usage, 130 interrupted.
`

/** What the command was asked to do. */
export interface SsgArguments {
  worker: string
  routes: string
  out: string
  props: string | undefined
  threads: number | undefined
  statuses: Record<string, number>
}

/** Reads a command line; `undefined` when it asks for help. Throws {@link UsageError}. */
export function parseSsgArguments(args: readonly string[]): SsgArguments | undefined {
  const values = valuesOf(args)
  if (values.help) return undefined
  const need = (name: 'worker' | 'routes' | 'out'): string => {
    const value = values[name]
    if (!value) throw new UsageError(`--${name} is missing`)
    return value
  }
  const { threads, status = [] } = values
  if (threads !== undefined && !(/^[1-9]\d{0,4}$/.test(threads) && Number(threads) <= MOST_THREADS)) {
    throw new UsageError(`--threads must be an integer from 1 to ${MOST_THREADS}, and is ${threads}`)
  }
  return {
    worker: need('worker'),
    routes: need('routes'),
    out: need('out'),
    props: values.props,
    threads: threads === undefined ? undefined : Number(threads),
    statuses: Object.fromEntries(status.map(statusOf)),
  }
}

function valuesOf(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        worker: text,
        routes: text,
        out: text,
        props: text,
        threads: text,
        status: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

function statusOf(value: string): [route: string, status: number] {
  const [, route, code] = /^(\/.*)=([2-5]\d\d)$/.exec(value) ?? []
  if (route === undefined) throw new UsageError(`--status must be such as /404=404, and is ${value}`)
  return [route, Number(code)]
}
