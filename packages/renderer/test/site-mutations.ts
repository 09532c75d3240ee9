import type { Mutation } from '@scratchyjs/tooling/mutations'

const site = ['test/ssg.test.ts']
const siteBuild = ['test/ssg-build.test.ts']
const claims = ['src/ssg-claims.test.ts']

/** Static sites. */
export const siteMutations: Mutation[] = [
  // I1
  {
    name: 'memory of a written page kept',
    file: 'ssg-build.ts',
    replace: 'page.release()',
    by: '{}',
    killedBy: siteBuild,
    named: 'I1:',
  },
  // I13
  {
    name: 'threads left by a site',
    file: 'ssg-pipeline.ts',
    replace: 'await renderer.close()',
    by: '',
    killedBy: site,
    named: 'is written to a folder',
  },
  // I18
  {
    name: 'up and out',
    file: 'ssg-route.ts',
    replace: " || name === '..')",
    by: ')',
    killedBy: site,
    named: 'I18: .*nothing is written',
  },
  {
    name: 'slashes in names',
    file: 'ssg-route.ts',
    replace: '/[/\\\\\\p{Cc}\\p{Surrogate}]/u.test(name)',
    by: 'false',
    killedBy: site,
    named: 'I18: .*nothing is written',
  },
  {
    name: 'queries in one file',
    file: 'ssg-route.ts',
    replace: 'if (/[?#]/.test(route)) return refuse',
    by: 'if (Date.now() < 0) return refuse',
    killedBy: site,
    named: 'I18: .*nothing is written',
  },
  {
    name: 'into the unfinished files',
    file: 'ssg-route.ts',
    replace: 'if (first.startsWith(STAGING_PREFIX))',
    by: 'if (Date.now() < 0)',
    killedBy: site,
    named: 'I18: .*nothing is written',
  },
  {
    name: 'through a link for a file',
    file: 'ssg-folder.ts',
    replace: `if (found?.isSymbolicLink()) throw linkError(path)
    if (found && !found.isFile`,
    by: 'if (found && !found.isFile',
    killedBy: site,
    named: 'I18: .*no link',
  },
  {
    name: 'through a link for a folder',
    file: 'ssg-folder.ts',
    replace: `if (found?.isSymbolicLink()) throw linkError(path)
    if (found && !found.isDirectory`,
    by: 'if (found && !found.isDirectory',
    killedBy: site,
    named: 'I18: .*no link',
  },
  {
    name: 'folders made along links',
    file: 'ssg-folder.ts',
    replace: 'await mkdir(path)',
    by: 'await mkdir(path, { recursive: true })',
    killedBy: site,
    named: 'I18: .*no link',
  },
  {
    name: 'the last route wins',
    file: 'ssg-claims.ts',
    replace: 'if (owner !== undefined)',
    by: 'if (Date.now() < 0)',
    killedBy: claims,
  },
  {
    name: 'files for folders',
    file: 'ssg-claims.ts',
    replace: 'folders.map(folder => this.#files.get(folder))',
    by: '[]',
    killedBy: claims,
  },
  {
    name: 'folded names told apart',
    file: 'ssg-claims.ts',
    replace: "this.#foldsNames ? file.normalize('NFD').toUpperCase().toLowerCase() : file",
    by: 'file',
    killedBy: claims,
  },
  // I19
  {
    name: 'written in place',
    file: 'ssg-staging.ts',
    replace: `await writeFile(unfinished, bytes)
    await rename(unfinished, path)`,
    by: 'await writeFile(path, bytes)',
    killedBy: site,
    named: 'I18: .*a file with a second name',
  },
  {
    name: 'unfinished files left',
    file: 'ssg-staging.ts',
    replace: `process.off('exit', this.#remove)
    this.#remove()`,
    by: "process.off('exit', this.#remove)",
    killedBy: site,
    named: 'I19: by its status',
  },
  {
    name: 'unfinished files of the dead left',
    file: 'ssg-staging.ts',
    replace: "=== 'ESRCH'",
    by: "=== 'NONE'",
    killedBy: site,
    named: 'I19: is cleared',
  },
  {
    name: 'unfinished files of the living removed',
    file: 'ssg-staging.ts',
    replace: `process.kill(pid, 0)
    return false`,
    by: `process.kill(pid, 0)
    return true`,
    killedBy: site,
    named: 'I19: is cleared',
  },
  {
    name: 'any status written',
    file: 'ssg-build.ts',
    replace: 'if (statusCode !== expected)',
    by: 'if (Date.now() < 0)',
    killedBy: site,
    named: 'I19: by its status',
  },
  {
    name: 'as long is the same',
    file: 'ssg-folder.ts',
    replace: '&& (await readFile(path)).equals(bytes)',
    by: '',
    killedBy: site,
    named: 'I19: is not written again',
  },
]
