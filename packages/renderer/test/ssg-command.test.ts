import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { dir, filesIn, outDir, siteWorker } from './ssg-run.js'

const command = fileURLToPath(new URL('../dist/ssg-command.js', import.meta.url))
const worker = fileURLToPath(siteWorker)
/** Runs a command under a pseudo-terminal; of util-linux, whose options differ from those of others. */
const terminal = 'script'
const hasTerminal = `${spawnSync(terminal, ['--version']).stdout}`.includes('util-linux')

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL') // of a test that failed
})

/** Starts a program in the test's folder. */
function start(file: string, args: readonly string[]) {
  const child = spawn(file, args, { cwd: dir })
  running.add(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += chunk
  })
  child.stderr.on('data', chunk => {
    output.err += chunk
  })
  const ended = new Promise<typeof output & { code: number | null; signal: string | null }>(resolve => {
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ ...output, code, signal })
    })
  })
  return { child, ended }
}

const run = (...args: string[]) => start(process.execPath, [command, ...args])
const site = (routes: string, ...args: string[]) =>
  run('--worker', worker, '--routes', routes, '--out', 'site', '--threads', '2', ...args)

const file = (name: string, text: string) => writeFile(join(dir, name), text)
/** `/0.html` and so on. */
const numberedRoutes = (length: number) =>
  file('routes.mjs', `export default Array.from({ length: ${length} }, (_, i) => '/' + i + '.html')`)
const pages = async () => (await filesIn(outDir)).filter(name => name.endsWith('.html'))

/** Resolves when a process has said so many lines. */
const lines = (child: ChildProcess, count: number) =>
  new Promise<void>(resolve => {
    let seen = 0
    child.stdout?.on('data', chunk => {
      seen += `${chunk}`.split('\n').length - 1
      if (seen >= count) resolve()
    })
  })

describe('scratchy-ssg', () => {
  it('writes the routes of a text file, and says so line by line', async () => {
    await file('routes.txt', '# the site\n/\n\n  /a  \r\n/b.html\n')
    const { code, out, err } = await site('routes.txt').ended
    expect(err).toBe('')
    expect(code).toBe(0)
    const said = out.split('\n')
    expect(said.slice(0, 3).map(line => line.split(' ')[0])).toEqual(['1/3', '2/3', '3/3'])
    expect(said[3]).toMatch(/^3 rendered, 0 unchanged, 0 failed in \d+\.\d s$/)
    expect(out).not.toContain('\x1b')
    expect(await pages()).toEqual(['a/index.html', 'b.html', 'index.html'])
    expect((await site('routes.txt').ended).out).toContain('0 rendered, 3 unchanged, 0 failed')
  })

  it.each([
    ['routes.json', '["/a", "/b"]'],
    ['routes.mjs', "export default ['/a', '/b']"],
    ['routes.mjs', "export default new Set(['/a', '/b'])"],
    ['routes.mjs', "export default async function* () { yield '/a'; yield '/b' }"],
    ['routes.mjs', "export default async () => ['/a', '/b']"],
    ['routes.cjs', "module.exports = () => ['/a', '/b']"],
  ])('takes routes of %s: %s', async (name, text) => {
    await file(name, text)
    expect(await site(name).ended).toMatchObject({ code: 0, err: '' })
    expect(await pages()).toEqual(['a/index.html', 'b/index.html'])
  })

  it('takes props of a module, and ends although that holds something open', async () => {
    await file('routes.json', '["/a"]')
    await file('props.mjs', 'setInterval(() => {}, 1000); export default async route => ({ of: route })')
    expect(await site('routes.json', '--props', 'props.mjs').ended).toMatchObject({ code: 0, err: '' })
    expect(await readFile(join(outDir, 'a/index.html'), 'utf8')).toBe('<h1>/a</h1>{"of":"/a"}')
  })

  it('lists what failed, and ends with 1', async () => {
    await file('routes.json', '["/a", "/a?x=1", "/404", "/410"]')
    await file(
      'props.mjs',
      "export default route => /4../.test(route) ? { kind: 'status', number: Number(route.slice(1)) } : {}",
    )
    const { code, out, err } = await site('routes.json', '--props', 'props.mjs', '--status', '/404=404').ended
    expect(code).toBe(1)
    expect(out).toContain('2 rendered, 0 unchanged, 2 failed')
    expect(err).toBe(
      'failed /a?x=1: Cannot make a file of the route /a?x=1: pages that differ in query or hash would share one file\n' +
        'failed /410: The page of /410 has the status 410, and must have 200: nothing was written\n',
    )
  })

  it('ends with 1 when the worker or a module is broken', async () => {
    await file('routes.json', '["/a"]')
    await file('broken.mjs', "throw new Error('broken here')")
    const inWorker = await run('--worker', 'broken.mjs', '--routes', 'routes.json', '--out', 'site').ended
    expect(inWorker).toMatchObject({ code: 1, err: expect.stringContaining('broken here') })
    expect(await site('broken.mjs').ended).toMatchObject({
      code: 1,
      err: expect.stringContaining('broken here'),
    })
  })

  it('says how it is used', async () => {
    const { code, out, err } = await run('--help').ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Usage: scratchy-ssg --worker <file>')
  })

  it.each([
    ['--worker is missing', []],
    ['--out is missing', ['--worker', worker, '--routes', 'routes.json']],
    ["Unknown option '--cache'", ['--cache']],
    ["Unexpected argument 'site'", ['site']],
    ['--threads must be an integer from 1 to', ['--worker', worker, '--threads', '0']],
    [
      '--status must be such as /404=404, and is 404',
      ['--worker', worker, '--routes', 'routes.json', '--out', 'site', '--status', '404'],
    ],
    ['--worker: there is no file', ['--worker', 'nowhere.js', '--routes', 'routes.json', '--out', 'site']],
    ['--routes: there is no file', ['--worker', worker, '--routes', 'nowhere.txt', '--out', 'site']],
    ['broken.json is no JSON', ['--worker', worker, '--routes', 'broken.json', '--out', 'site']],
    ['and holds Object', ['--worker', worker, '--routes', 'object.json', '--out', 'site']],
    ['none of the endings', ['--worker', worker, '--routes', 'routes.csv', '--out', 'site']],
    [
      'must be a function, and is undefined',
      ['--worker', worker, '--routes', 'routes.json', '--out', 'site', '--props', 'empty.mjs'],
    ],
  ])('refuses wrong usage with 2: %s', async (message, args) => {
    await file('routes.json', '["/a"]')
    await file('broken.json', '["/a"')
    await file('object.json', '{}')
    await file('routes.csv', '/a')
    await file('empty.mjs', '')
    const { code, out, err } = await run(...args).ended
    expect(err).toContain(message)
    expect(err).toContain('scratchy-ssg --help says how it is used')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(await filesIn(dir)).not.toContain('site/')
  })

  it.skipIf(!hasTerminal)('shows a bar on a terminal, and takes it away', async () => {
    await numberedRoutes(300)
    const line = [process.execPath, command, '--worker', worker, '--routes', 'routes.mjs', '--out', 'site']
    const { code, out } = await start(terminal, [
      ...['-q', '-e', '-c', line.map(word => `'${word}'`).join(' '), join(dir, 'typescript')],
    ]).ended
    expect(code).toBe(0)
    expect(out).toContain(`\r\x1b[2K\x1b[?7l[${'#'.repeat(24)}] 300/300 /`)
    expect(out).toMatch(/\[#*-+\] \d+\/300 /)
    expect(out.split('\n')).toHaveLength(2)
    expect(out.trimEnd().split('\x1b[2K').at(-1)).toMatch(/^300 rendered, 0 unchanged, 0 failed in [\d.]+ s$/)
  })

  it('goes on when its reader has gone', async () => {
    await numberedRoutes(200)
    const { child, ended } = site('routes.mjs')
    await lines(child, 1)
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
    expect(await pages()).toHaveLength(200)
  })
})

describe('a command that is ended', () => {
  const bytes = 8_000_000
  /** A site too large to be done at once, of pages that are larger than what is written at a time. */
  async function largeSite() {
    await numberedRoutes(400)
    await file('props.mjs', `export default () => ({ kind: 'large', number: ${bytes / 2} })`)
    return () => site('routes.mjs', '--props', 'props.mjs')
  }
  async function expectWholePages(): Promise<number> {
    const written = await pages()
    for (const page of written) expect((await stat(join(outDir, page))).size).toBe(bytes)
    expect(written.length).toBeGreaterThan(0)
    expect(written.length).toBeLessThan(400)
    return written.length
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s stops cleanly, with %i', async (signal, code) => {
    const { child, ended } = (await largeSite())()
    await lines(child, 5)
    child.kill(signal)
    expect(await ended).toMatchObject({
      code,
      err: 'scratchy-ssg: interrupted; the pages that are written are whole\n',
    })
    await expectWholePages()
  })

  it('by SIGINT while its routes are still made stops too', async () => {
    await file(
      'routes.mjs',
      "console.log('begun'); export default () => new Promise(() => setInterval(() => {}, 1000))",
    )
    const { child, ended } = site('routes.mjs')
    await lines(child, 1)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 130 })
  })

  it('I19: at once leaves no half a page, and the next run goes on and clears up', async () => {
    const start = await largeSite()
    let unfinished = 0
    for (let count = 1; count < 40 && (count < 8 || unfinished === 0); count += 3) {
      const { child, ended } = start()
      await lines(child, count)
      child.kill('SIGKILL')
      expect(await ended).toMatchObject({ signal: 'SIGKILL' })
      const left = (await filesIn(outDir)).filter(name => name.startsWith('.scratchy-ssg-'))
      expect(left.filter(name => name.endsWith('/'))).toHaveLength(1)
      unfinished += left.filter(name => !name.endsWith('/')).length
    }
    expect(unfinished).toBeGreaterThan(0)
    const written = await expectWholePages()
    await numberedRoutes(20)
    const { out } = await start().ended
    const unchanged = Number(/(\d+) unchanged/.exec(out)?.[1])
    expect(unchanged).toBe(Math.min(20, written))
  })

  it('I19: by an error of its own program leaves nothing unfinished', async () => {
    const pipeline = new URL('../dist/index.js', import.meta.url).href
    await file(
      'build.mjs',
      `import { runSsgPipeline } from '${pipeline}'
      await runSsgPipeline({
        worker: '${worker}', outDir: 'site', maxThreads: 2, routes: Array.from({ length: 400 }, (_, i) => \`/\${i}.html\`),
        getProps: () => ({ kind: 'large', number: ${bytes / 2} }),
        onProgress: ({ done }) => done === 5 && setImmediate(() => { throw new Error('elsewhere') }),
      })`,
    )
    const { code, err } = await start(process.execPath, ['build.mjs']).ended
    expect(code).toBe(1)
    expect(err).toContain('elsewhere')
    await expectWholePages()
  })
})
