import { link, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SsgOptions, SsgProgress, SsgResult } from '@scratchyjs/renderer'
import { describe, expect, it } from 'vitest'
import { build, dir, filesIn, outDir } from './ssg-run.js'

const read = (file: string) => readFile(join(outDir, file), 'utf8')
const codes = ({ failed }: SsgResult) =>
  failed.map(({ route, error }) => [route, (error as { code?: string }).code])

/** Props that choose what the worker does, by route. */
const kinds = (of: Record<string, object>): Pick<SsgOptions, 'getProps'> => ({ getProps: route => of[route] })

describe('a site', () => {
  it('has a file for each route, with the bytes of its page', async () => {
    const result = await build(
      ['/', '/a', '/b/c/', '/a.html', '/feed.xml', '/caf%C3%A9', '/日本 🎈', '/v1.2'],
      {
        getProps: async route => ({ length: route.length }),
      },
    )
    expect(result.failed).toEqual([])
    expect(result.unchanged).toEqual([])
    const files = [
      ...['index.html', 'a/index.html', 'b/c/index.html', 'a.html', 'feed.xml'],
      ...['café/index.html', '日本 🎈/index.html', 'v1.2/index.html'],
    ]
    expect(result.rendered.map(({ path }) => path)).toEqual(files.map(file => join(outDir, file)))
    expect((await filesIn(outDir)).filter(file => !file.endsWith('/'))).toEqual(files.sort())
    expect(await read('b/c/index.html')).toBe('<h1>/b/c/</h1>{"length":5}')
    expect(result.rendered[2]).toEqual({ route: '/b/c/', path: join(outDir, 'b/c/index.html'), bytes: 26 })
    expect(result.durationMs).toBeGreaterThan(0)
  })

  it('has pages of every kind, through shared memory or not', async () => {
    const of = {
      '/large': { kind: 'large', number: 40_000 },
      '/bytes.bin': { kind: 'bytes' },
      '/parts.txt': { kind: 'parts' },
    }
    const { rendered } = await build(Object.keys(of), { ...kinds(of), slotSize: 65_536 })
    expect(rendered.map(({ bytes }) => bytes)).toEqual([80_000, 4, 7])
    expect(await read('large/index.html')).toBe('é'.repeat(40_000))
    expect([...(await readFile(join(outDir, 'bytes.bin')))]).toEqual([0, 255, 254, 10])
    expect(await read('parts.txt')).toBe('one two')
  })

  it('of 1,000 routes comes whole, in order, with no more under way than asked for', async () => {
    const routes = Array.from({ length: 1000 }, (_, i) => `/p/${i % 10}/${i}`)
    let underWay = 0
    let most = 0
    const result = await build(routes, {
      concurrency: 5,
      getProps() {
        most = Math.max(most, ++underWay)
      },
      onProgress() {
        underWay--
      },
    })
    expect(result.rendered.map(({ route }) => route)).toEqual(routes)
    expect(most).toBe(5)
    for (const { route, path } of result.rendered)
      expect(await readFile(path, 'utf8')).toContain(`>${route}<`)
  })

  it('is written to a folder that a URL names, or that is a link itself', async () => {
    await mkdir(outDir)
    await symlink(outDir, join(dir, 'link'))
    const { rendered } = await build(['/a'], { outDir: pathToFileURL(join(dir, 'link')) })
    expect(rendered[0]?.path).toBe(join(outDir, 'a/index.html'))
  })
})

describe('a route that fails', () => {
  it('leaves the others alone, whatever went wrong with it', async () => {
    const of: Record<string, object> = {
      '/throws': { kind: 'throws' },
      '/exits': { kind: 'exits' },
      '/hangs': { kind: 'deaf' },
      '/too-large': { kind: 'large', number: 200_000 },
    }
    const result = await build([...Object.keys(of), '/props', '/cycle', '/fine'], {
      taskTimeout: 300,
      cancelGrace: 100,
      maxPageBytes: 100_000,
      async getProps(route) {
        if (route === '/props') throw 'no props'
        const cycle: Record<string, unknown> = {}
        cycle.cycle = cycle
        return route === '/cycle' ? cycle : of[route]
      },
    })
    expect(result.rendered.map(({ route }) => route)).toEqual(['/fine'])
    expect(codes(result)).toEqual([
      ['/throws', 'NO_ARTICLE'],
      ['/exits', 'WORKER_CRASHED'],
      ['/hangs', 'RENDER_TIMEOUT'],
      ['/too-large', 'PAGE_TOO_LARGE'],
      ['/props', undefined],
      ['/cycle', undefined],
    ])
    expect(result.failed[0]?.error).toMatchObject({ name: 'RangeError', message: 'no such article' })
    expect(result.failed[4]?.error).toMatchObject({ message: 'thrown: no props' })
    expect(result.failed[5]?.error).toBeInstanceOf(TypeError)
    expect(await filesIn(outDir)).toEqual(['fine/', 'fine/index.html'])
  })

  it('I19: by its status is not written, unless that is the status it must have', async () => {
    const of = Object.fromEntries(
      [204, 301, 404, 500].map(number => [`/${number}`, { kind: 'status', number }] as const),
    )
    const result = await build([...Object.keys(of), '/gone', '/404.html'], {
      getProps: route => ({ ...of, '/404.html': of['/404'] })[route],
      statuses: { '/404.html': 404, '/gone': 410 },
    })
    expect(result.failed).toMatchObject([
      { route: '/204', statusCode: 204, error: { code: 'PAGE_STATUS' } },
      { route: '/301', statusCode: 301 },
      { route: '/404', statusCode: 404 },
      { route: '/500', statusCode: 500 },
      { route: '/gone', statusCode: 200 },
    ])
    expect(result.failed[4]?.error.message).toBe(
      'The page of /gone has the status 200, and must have 410: nothing was written',
    )
    expect(await filesIn(outDir)).toEqual(['404.html'])
  })
})

describe('I18: outside of its folder', () => {
  it('nothing is written', async () => {
    const routes = [
      ...['/../x', '/a/../../x', '/%2e%2e%2fx', '/%2E%2E/x', '/..%5cx', '/..\\x', '\\x', '/a\0b', '/a%00b'],
      ...[
        '/C:/x',
        'C:\\x',
        '/C%3a/x',
        '//host/x',
        'x',
        '',
        '/.',
        '/a//b',
        '/%ff',
        '/a?x=1',
        '/a#x',
        '/a%0ab',
      ],
      ...['/\ud800', '/.scratchy-ssg-1/x', 7, null],
    ]
    const result = await build(routes as string[])
    expect(codes(result)).toEqual(
      routes.map(route => [typeof route === 'number' ? '7 (number)' : String(route), 'ROUTE_REFUSED']),
    )
    expect(result.failed[0]?.error.message).toBe(
      'Cannot make a file of the route /../x: ".." is no name of a file or folder',
    )
    expect(await filesIn(dir)).toEqual(['site/'])
  })

  it('no link leads, whatever it is a link to', async () => {
    await mkdir(join(dir, 'elsewhere'))
    await mkdir(outDir)
    await symlink(join(dir, 'elsewhere'), join(outDir, 'folder'))
    await symlink(join(dir, 'elsewhere/nothing.html'), join(outDir, 'dangling.html'))
    await writeFile(join(dir, 'page.html'), 'a page')
    await symlink(join(dir, 'page.html'), join(outDir, 'linked.html'))
    const result = await build(['/folder', '/folder/deep/x', '/dangling.html', '/linked.html'])
    expect(codes(result).map(([, code]) => code)).toEqual(Array(4).fill('ROUTE_REFUSED'))
    expect(await readdir(join(dir, 'elsewhere'))).toEqual([])
    expect(await readFile(join(dir, 'page.html'), 'utf8')).toBe('a page')
  })

  it('a file with a second name keeps its bytes there', async () => {
    await mkdir(outDir)
    await writeFile(join(dir, 'kept.html'), 'kept')
    await link(join(dir, 'kept.html'), join(outDir, 'a.html'))
    expect((await build(['/a.html'])).rendered).toHaveLength(1)
    expect(await readFile(join(dir, 'kept.html'), 'utf8')).toBe('kept')
  })
})

describe('I18: a file that two routes ask for', () => {
  it('is of the first, however long that takes', async () => {
    const of = { '/a': { kind: 'waits', number: 100 } }
    const result = await build(['/a', '/a/', '/a/index.html', '/%61', '/b', '/b'], kinds(of))
    expect(codes(result)).toEqual([
      ['/a/', 'FILE_TAKEN'],
      ['/a/index.html', 'FILE_TAKEN'],
      ['/%61', 'FILE_TAKEN'],
      ['/b', 'FILE_TAKEN'],
    ])
    expect(result.failed[0]?.error.message).toBe(
      'Cannot write a/index.html for the route /a/: the route /a came first, and takes its place',
    )
    expect(await read('a/index.html')).toBe('waited 100')
  })

  it('may be a folder to one of them', async () => {
    const result = await build(['/a.html', '/a.html/b', '/c.d/e', '/c.d'])
    expect(codes(result)).toEqual([
      ['/a.html/b', 'FILE_TAKEN'],
      ['/c.d', 'FILE_TAKEN'],
    ])
    expect(await filesIn(outDir)).toEqual(['a.html', 'c.d/', 'c.d/e/', 'c.d/e/index.html'])
  })

  it('are two where the file system knows them apart', async () => {
    await mkdir(outDir)
    await writeFile(join(outDir, 'probe'), '')
    const isOne = await stat(join(outDir, 'PROBE')).then(
      () => true,
      () => false,
    )
    const result = await build(['/page', '/Page', '/caf\u00e9', '/cafe\u0301'])
    expect(result.rendered).toHaveLength(isOne ? 2 : 4)
    if (!isOne) expect(await read('Page/index.html')).toContain('/Page')
  })
})

describe('what is in the folder already', () => {
  it('stays: a file in the place of a folder, a folder in that of a file', async () => {
    await mkdir(join(outDir, 'b/index.html'), { recursive: true })
    await writeFile(join(outDir, 'a'), 'a file')
    const result = await build(['/a', '/a/deep/er', '/b', '/c'])
    expect(codes(result)).toEqual([
      ['/a', 'FILE_TAKEN'],
      ['/a/deep/er', 'FILE_TAKEN'],
      ['/b', 'FILE_TAKEN'],
    ])
    expect(result.failed[0]?.error.message).toBe(
      `Cannot write the page: ${join(outDir, 'a')} is there, and is no folder`,
    )
    expect(await read('a')).toBe('a file')
  })

  it('fails names that the file system can not have', async () => {
    const result = await build([`/${'x'.repeat(300)}.html`, `/${'x'.repeat(300)}`, '/fine'])
    expect(codes(result).map(([, code]) => code)).toEqual(['ENAMETOOLONG', 'ENAMETOOLONG'])
    expect(result.rendered).toHaveLength(1)
  })

  it('I19: is not written again when it would not change', async () => {
    const routes = ['/a', '/b', '/c', '/d']
    const first = await build(routes)
    const before = await Promise.all(first.rendered.map(({ path }) => stat(path)))
    const { path = '' } = first.rendered[1] ?? {}
    await writeFile(path, 'longer or shorter')
    const third = first.rendered[2]?.path ?? ''
    await writeFile(third, (await readFile(third, 'utf8')).replace('h1', 'h2')) // as long
    const second = await build(routes)
    expect(second.unchanged).toEqual([first.rendered[0], first.rendered[3]])
    expect(second.rendered).toEqual([first.rendered[1], first.rendered[2]])
    const after = await Promise.all(first.rendered.map(({ path }) => stat(path)))
    expect(
      after.map((file, i) => file.ino === before[i]?.ino && file.mtimeMs === before[i]?.mtimeMs),
    ).toEqual([...[true, false, false, true]])
    expect(await read('c/index.html')).toBe('<h1>/c</h1>null')
  })

  it('I19: is cleared of what a process that is gone left unfinished, and of nothing else', async () => {
    const folder = (pid: number, name: string) => join(outDir, `.scratchy-ssg-${pid}-${name}`)
    const living = [folder(process.ppid, 'abc'), folder(process.pid, 'mine')]
    // In a container, an earlier process may have had the same id.
    const gone = [folder(999_999_999, 'abc'), folder(process.pid, 'earlier')]
    for (const path of [...living, ...gone]) {
      await mkdir(path, { recursive: true })
      await writeFile(join(path, '0'), 'half a pa')
    }
    await utimes(folder(process.pid, 'earlier'), 0, 0)
    await writeFile(join(outDir, 'asset.css'), '')
    await build(['/'])
    const kept = await readdir(outDir)
    for (const path of living) await rm(path, { recursive: true })
    expect(kept.sort()).toEqual([...living.map(path => basename(path)), 'asset.css', 'index.html'].sort())
  })

  it('may be two sites at a time', async () => {
    const routes = (name: string) => Array.from({ length: 50 }, (_, i) => `/${name}/${i}`)
    const both = await Promise.all([build(routes('a')), build(routes('b'))])
    expect(both.map(({ rendered }) => rendered.length)).toEqual([50, 50])
  })
})

describe('progress', () => {
  it('counts every route, and says why one failed', async () => {
    const steps: SsgProgress[] = []
    await build(['/a', '/b', '/a'], { onProgress: step => steps.push(step), concurrency: 1 })
    expect(steps).toEqual([
      { done: 1, total: 3, route: '/a' },
      { done: 2, total: 3, route: '/b' },
      { done: 3, total: 3, route: '/a', error: expect.objectContaining({ code: 'FILE_TAKEN' }) },
    ])
  })

  it('has no total until an iterable has come to its end', async () => {
    const steps: SsgProgress[] = []
    async function* routes() {
      yield* ['/a', '/b', '/c']
    }
    await build(routes(), { onProgress: step => steps.push(step), concurrency: 1 })
    expect(steps.map(({ total }) => total)).toEqual([undefined, undefined, 3])
    await build(new Set(['/a']), { onProgress: step => steps.push(step) })
    expect(steps.at(-1)).toEqual({ done: 1, total: 1, route: '/a' })
  })

  it('that throws ends the run with what it threw', async () => {
    let calls = 0
    const onProgress = () => {
      calls++
      throw new RangeError('no display')
    }
    await expect(build(['/a', '/b', '/c', '/d', '/e', '/f'], { onProgress, concurrency: 2 })).rejects.toThrow(
      new RangeError('no display'),
    )
    expect(calls).toBe(1)
  })
})

describe('routes', () => {
  it('may be any iterable, and are taken as they are needed', async () => {
    let taken = 0
    let done = 0
    let ahead = 0
    function* routes() {
      for (; taken < 30; taken++) {
        ahead = Math.max(ahead, taken - done)
        yield `/${taken}`
      }
    }
    const onProgress = () => {
      done++
    }
    expect((await build(routes(), { onProgress, concurrency: 3 })).rendered).toHaveLength(30)
    expect(ahead).toBeLessThanOrEqual(3)
  })

  it('that throw end the run with what they threw', async () => {
    async function* routes() {
      yield '/a'
      throw new RangeError('the list is broken')
    }
    await expect(build(routes(), kinds({ '/a': { kind: 'deaf' } }))).rejects.toThrow('the list is broken')
  })

  it('may be none', async () => {
    expect(await build([])).toMatchObject({ rendered: [], unchanged: [], failed: [] })
    expect(await filesIn(dir)).toEqual(['site/'])
  })
})

describe('an aborted run', () => {
  it('I19: rejects with an AbortError, leaves whole pages alone, and ends its source', async () => {
    const abort = new AbortController()
    let ended = false
    function* routes() {
      try {
        for (let i = 0; ; i++) yield `/${i}`
      } finally {
        ended = true
      }
    }
    const run = build(routes(), {
      signal: abort.signal,
      getProps: () => ({ kind: 'large', number: 300_000 }),
      onProgress: ({ done }) => done === 20 && abort.abort(new Error('enough')),
    })
    await expect(run).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
    expect(ended).toBe(true)
    const files = (await filesIn(outDir)).filter(file => file.endsWith('.html'))
    expect(files.length).toBeGreaterThanOrEqual(20)
    for (const file of files) expect((await stat(join(outDir, file))).size).toBe(600_000)
  })

  const forever = (_begun: unknown) => new Promise<never>(() => {})
  const waits = (_begun: unknown) => ({ kind: 'waits', number: 60_000 })
  const deaf = (_begun: unknown) => ({ kind: 'deaf' })
  it.each([
    ['the props', (begun: () => void) => ({ getProps: () => forever(begun()) })],
    ['a render that hears of it', (begun: () => void) => ({ getProps: () => waits(begun()) })],
    ['a render that does not', (begun: () => void) => ({ getProps: () => deaf(begun()), cancelGrace: 50 })],
    [
      'the next route',
      (begun: () => void) => ({
        routes: { [Symbol.asyncIterator]: () => ({ next: () => forever(begun()) }) },
      }),
    ],
  ])('does not wait for %s', async (_, optionsOf) => {
    const abort = new AbortController()
    let abortedAt = Number.NaN
    const begun = () =>
      setTimeout(() => {
        abortedAt = performance.now()
        abort.abort()
      }, 100)
    const run = build(['/a'], { ...optionsOf(begun), signal: abort.signal })
    await expect(run).rejects.toMatchObject({ name: 'AbortError', cause: { name: 'AbortError' } })
    expect(performance.now() - abortedAt).toBeLessThan(5000)
    expect((await filesIn(outDir)).filter(file => !file.endsWith('/'))).toEqual([])
  })

  it('tells the props', async () => {
    const abort = new AbortController()
    let reason: unknown
    const getProps: SsgOptions['getProps'] = (_, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      abort.abort()
    }
    await expect(build(['/a'], { getProps, signal: abort.signal })).rejects.toThrow()
    expect(reason).toMatchObject({ name: 'AbortError' })
  })

  it('before it began does nothing', async () => {
    await expect(build(['/a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(await filesIn(dir)).toEqual([])
  })

  it('goes on where it was when it is run again', async () => {
    const routes = Array.from({ length: 100 }, (_, i) => `/${i}`)
    const abort = new AbortController()
    const onProgress = ({ done }: SsgProgress) => done === 40 && abort.abort()
    await expect(build(routes, { signal: abort.signal, onProgress })).rejects.toThrow()
    const { rendered, unchanged } = await build(routes)
    expect(unchanged.length).toBeGreaterThanOrEqual(40)
    expect(rendered.length + unchanged.length).toBe(100)
    expect(rendered.length).toBeGreaterThan(0)
  })
})

describe('what can not be', () => {
  it.each([
    ['routes must be an array or iterable of strings, and is /a', { routes: '/a' }],
    ['routes must be an array or iterable of strings, and is undefined', { routes: undefined }],
    ['outDir must be a path or a file: URL, and is 7 (number)', { outDir: 7 }],
    ['outDir must be a path or a file: URL, and is empty', { outDir: '' }],
    ['getProps must be a function, and is Object', { getProps: {} }],
    ['onProgress must be a function, and is Object', { onProgress: {} }],
    ['signal must be an AbortSignal, and is Object', { signal: {} }],
    ['concurrency must be a positive integer, and is 0 (number)', { concurrency: 0 }],
    ['statuses: /x must be an integer from 200 to 599, and is 404', { statuses: { '/x': '404' } }],
    ['maxThreads must be an integer', { maxThreads: 0 }],
    ['worker must be a file: URL', { worker: 'worker.js' }],
  ])('%s', async (message, options) => {
    await expect(build(['/a'], options as Partial<SsgOptions>)).rejects.toThrow(message)
    expect(await filesIn(dir)).toEqual([])
  })

  it('a worker that can not be loaded, or a folder that is a file, ends the run', async () => {
    const worker = new URL('./fixtures/throws-on-import.mjs', import.meta.url)
    await expect(build(['/a'], { worker })).rejects.toMatchObject({ code: 'WORKER_UNUSABLE' })
    await writeFile(join(dir, 'file'), '')
    await expect(build(['/a'], { outDir: join(dir, 'file') })).rejects.toMatchObject({ code: 'EEXIST' })
  })
})
