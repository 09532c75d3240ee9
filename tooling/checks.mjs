// Rules about the tree that no linter knows. Each prints what it found and where; the exit code says whether any did.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** @type {string[]} */
const problems = []
const read = (/** @type {string} */ file) => readFileSync(`${root}${file}`, 'utf8')
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(file => file && existsSync(root + file))

/** Which packages of ours a package may depend on at run time: apps → renderer → the other four, which stand alone. */
const lower = ['cache-invalidation', 'redis-transport', 'ring-buffer', 'shared-buffer'].map(
  name => `@scratchyjs/${name}`,
)
/** @param {string} folder */
const allowed = folder => {
  // It starts servers, and is not published.
  if (folder === 'apps/bench') return [...lower, '@scratchyjs/renderer', '@scratchyjs/tooling']
  if (folder.startsWith('apps/')) return [...lower, '@scratchyjs/renderer']
  return folder === 'packages/renderer' ? lower : []
}

function checkDirection() {
  for (const folder of ['packages', 'apps'].flatMap(top =>
    readdirSync(root + top).map(name => `${top}/${name}`),
  )) {
    const manifest = JSON.parse(read(`${folder}/package.json`))
    const named = Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
    })
    const imported = files
      .filter(
        file => file.startsWith(`${folder}/src/`) && /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file),
      )
      .flatMap(file =>
        [...read(file).matchAll(/(?:from|import\()\s*'(@scratchyjs\/[^/']+)/g)].map(match => match[1] ?? ''),
      )
    for (const name of new Set([...named, ...imported])) {
      if (name.startsWith('@scratchyjs/') && !allowed(folder).includes(name)) {
        problems.push(`${folder} depends on ${name}: the direction is apps → renderer → the other four`)
      }
    }
  }
}

function checkBrowserEntries() {
  for (const name of ['ring-buffer', 'shared-buffer']) {
    const manifest = JSON.parse(read(`packages/${name}/package.json`))
    if (manifest.dependencies) problems.push(`packages/${name} has run-time dependencies: it must have none`)
    /** @type {Set<string>} */
    const seen = new Set()
    const visit = (/** @type {string} */ file) => {
      if (seen.has(file)) return
      seen.add(file)
      for (const [, specifier = ''] of read(file).matchAll(/(?:from|import)\s*\(?'([^']+)'/g)) {
        if (specifier.startsWith('node:'))
          problems.push(`${file} imports ${specifier}: the main entry must run in browsers`)
        if (specifier.startsWith('./'))
          visit(`packages/${name}/src/${specifier.slice(2).replace(/\.js$/, '.ts')}`)
      }
    }
    visit(`packages/${name}/src/index.ts`)
  }
}

/**
 * Each invariant is shown by a test that names it, each name in a test or comment is an invariant, and the mutations
 * are those that the invariants name.
 */
function checkInvariants() {
  for (const document of files.filter(file => /^packages\/[^/]+\/INVARIANTS\.md$/.test(file))) {
    const folder = document.replace('INVARIANTS.md', '')
    const declared = new Set(
      [...read(document).matchAll(/^(?:- )?\**(I\d+)\b/gm)].map(match => match[1] ?? ''),
    )
    const own = files.filter(file => file.startsWith(folder) && file.endsWith('.ts'))
    const inTests = new Set(
      own
        .filter(file => file.endsWith('.test.ts'))
        .flatMap(file => [...read(file).matchAll(/(?:it|test|describe)[^'"`\n]*['"`]((?:I\d+[,: ]+)+)/g)])
        .flatMap(match => match[1]?.match(/I\d+/g) ?? []),
    )
    const inCode = new Set(
      own
        .filter(file => !file.endsWith('.test.ts'))
        .flatMap(file => [...read(file).matchAll(/\/\/[^\n]*?\b(I\d+)\b/g)].map(match => match[1] ?? '')),
    )
    for (const name of declared)
      if (!inTests.has(name)) problems.push(`${document}: no test's title begins with ${name}`)
    for (const name of inTests)
      if (!declared.has(name))
        problems.push(`${folder}: a test names ${name}, which ${document} doesn't list`)
    for (const name of inCode)
      if (!declared.has(name))
        problems.push(`${folder}: a comment names ${name}, which ${document} doesn't list`)
    checkMutations(document, `${folder}test/`)
  }
}

/** @param {string} document @param {string} folder of the lists, mutations.ts and those it takes in */
function checkMutations(document, folder) {
  const named = new Set(
    [...read(document).matchAll(/mutations? ((?:"[^"]+"(?:, )?)+)/g)].flatMap(
      match => match[1]?.match(/[^"]+(?="(?:,|$))/g) ?? [],
    ),
  )
  const lists = files.filter(file => file.startsWith(folder) && file.endsWith('mutations.ts'))
  const listed = lists.flatMap(list =>
    [...read(list).matchAll(/^ {4}name: (?:'([^']+)'|"([^"]+)")/gm)].map(match => match[1] ?? match[2] ?? ''),
  )
  for (const name of new Set(listed)) {
    if (!named.has(name))
      problems.push(`${folder}: the mutation "${name}" breaks no invariant of ${document}`)
  }
  for (const name of named) {
    if (!listed.includes(name)) problems.push(`${document}: the mutation "${name}" is not in ${folder}`)
  }
}

function checkHosts() {
  const configured = execFileSync('npm', ['config', 'get', 'registry'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
  const hosts = [new URL(configured).hostname, ['registry', 'npmjs', 'org'].join('.')]
  for (const file of files) {
    const text = read(file)
    for (const host of hosts)
      if (text.includes(host)) problems.push(`${file} names the package registry's host ${host}`)
    if (text.includes(root)) problems.push(`${file} holds a path of this machine`)
  }
}

checkDirection()
checkBrowserEntries()
checkInvariants()
checkHosts()
if (problems.length > 0) {
  console.error(problems.map(problem => `✗ ${problem}`).join('\n'))
  process.exit(1)
}
console.log('Direction, browser entries, invariants and registry hosts: as they should be.')
