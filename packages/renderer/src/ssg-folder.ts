import { access, lstat, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { RendererError } from './error.js'
import { Staging } from './ssg-staging.js'

/** The folder that a site is written to. Nothing outside of it is touched, and nothing in it but the pages' files. */
export class SiteFolder {
  /** Whether names that differ in case or Unicode form alone are one name here. */
  readonly foldsNames: boolean
  readonly #root: string
  readonly #staging: Staging
  /** Folders that are there and are no links, or will be. */
  readonly #folders = new Map<string, Promise<void>>()

  private constructor(root: string, staging: Staging, foldsNames: boolean) {
    this.#root = root
    this.#staging = staging
    this.foldsNames = foldsNames
    this.#folders.set('.', Promise.resolve())
  }

  /** Makes the folder if there is none. It may be a link itself. */
  static async open(outDir: string): Promise<SiteFolder> {
    await mkdir(outDir, { recursive: true })
    const root = await realpath(outDir)
    const staging = await Staging.open(root)
    try {
      return new SiteFolder(root, staging, await foldsNames(staging.folder))
    } catch (error) {
      staging.close()
      throw error
    }
  }

  /** Where a file of the site is, in full. */
  pathOf(file: string): string {
    return join(this.#root, file)
  }

  /**
   * Writes a file, unless it has these bytes already; answers whether it did.
   *
   * @throws RendererError `FILE_TAKEN`, `ROUTE_REFUSED`; what the file system says
   */
  async write(file: string, bytes: Buffer): Promise<boolean> {
    await this.#folder(posix.dirname(file))
    const path = this.pathOf(file)
    const found = await lstat(path).catch(unlessMissing)
    if (found?.isSymbolicLink()) throw linkError(path)
    if (found && !found.isFile()) throw takenError(path, 'is there, and is no file')
    if (found?.size === bytes.length && (await readFile(path)).equals(bytes)) return false
    await this.#staging.place(path, bytes)
    return true
  }

  close(): void {
    this.#staging.close()
  }

  /** Makes a folder and those above it. One by one: a recursive mkdir would follow a link out of the site. */
  #folder(folder: string): Promise<void> {
    let made = this.#folders.get(folder)
    if (!made) {
      made = this.#folder(posix.dirname(folder)).then(() => makeFolder(this.pathOf(folder)))
      this.#folders.set(folder, made)
    }
    return made
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const found = await lstat(path).catch(() => undefined)
    if (found?.isSymbolicLink()) throw linkError(path)
    if (found && !found.isDirectory()) throw takenError(path, 'is there, and is no folder')
    if (!found) throw error
  }
}

async function foldsNames(folder: string): Promise<boolean> {
  const probe = join(folder, 'A\u00e9')
  await writeFile(probe, '')
  const alike = ['a\u00e9', 'Ae\u0301'].map(name => access(join(folder, name)))
  const found = await Promise.allSettled(alike)
  await rm(probe)
  return found.some(({ status }) => status === 'fulfilled')
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

const linkError = (path: string) =>
  new RendererError(
    'ROUTE_REFUSED',
    `Cannot write the page: ${path} is a symbolic link, and may lead out of outDir`,
  )

const takenError = (path: string, why: string) =>
  new RendererError('FILE_TAKEN', `Cannot write the page: ${path} ${why}`)
