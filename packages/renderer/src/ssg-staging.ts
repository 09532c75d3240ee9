import { rmSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How the folders of unfinished files begin, each followed by the id of its process. */
export const STAGING_PREFIX = '.scratchy-ssg-'

/**
 * A folder of this run's own, inside the site's, where files are written before they are moved to their places. It is
 * one folder, and not a file beside each page, so that what a killed process left is found without a walk of the site.
 */
export class Staging {
  readonly folder: string
  readonly #remove: () => void
  #files = 0

  private constructor(folder: string) {
    this.folder = folder
    this.#remove = () => rmSync(folder, { recursive: true, force: true })
    process.once('exit', this.#remove) // an uncaught error, or process.exit()
  }

  /** Opens a folder in `site`, and removes those of processes that are gone. */
  static async open(site: string): Promise<Staging> {
    for (const name of await readdir(site)) {
      if (name.startsWith(STAGING_PREFIX) && (await isAbandoned(site, name))) {
        await rm(join(site, name), { recursive: true, force: true })
      }
    }
    return new Staging(await mkdtemp(join(site, `${STAGING_PREFIX}${process.pid}-`)))
  }

  /** Writes a file that appears at `path` whole, in place of an earlier one, or not at all. */
  async place(path: string, bytes: Uint8Array): Promise<void> {
    const unfinished = join(this.folder, `${this.#files++}`)
    await writeFile(unfinished, bytes)
    await rename(unfinished, path)
  }

  /** Removes the folder, and with it what could not be placed. */
  close(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}

async function isAbandoned(site: string, name: string): Promise<boolean> {
  const pid = Number.parseInt(name.slice(STAGING_PREFIX.length), 10)
  if (pid === process.pid) {
    // In a container every process may have the same id: what is older than this one is not its own.
    const found = await stat(join(site, name)).catch(() => undefined)
    return found !== undefined && found.mtimeMs < Date.now() - process.uptime() * 1000
  }
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
