import { RendererError } from './error.js'

/** Which route each file of a site belongs to: the first that asked for it. */
export class RouteClaims {
  readonly #files = new Map<string, string>()
  readonly #folders = new Map<string, string>()
  readonly #foldsNames: boolean

  /** @param foldsNames whether the file system takes names for one that differ in case or Unicode form alone */
  constructor(foldsNames: boolean) {
    this.#foldsNames = foldsNames
  }

  /**
   * Claims a file, with `/` between its names, and the folders above it.
   *
   * @throws RendererError `FILE_TAKEN` when another route has it, or has a folder in its place or a file in theirs
   */
  claim(file: string, route: string): void {
    const key = this.#foldsNames ? file.normalize('NFD').toUpperCase().toLowerCase() : file
    const folders = [...key.matchAll(/\//g)].map(({ index }) => key.slice(0, index))
    const owner =
      this.#files.get(key) ??
      this.#folders.get(key) ??
      folders.map(folder => this.#files.get(folder)).find(other => other !== undefined)
    if (owner !== undefined) {
      throw new RendererError(
        'FILE_TAKEN',
        `Cannot write ${file} for the route ${route}: the route ${owner} came first, and takes its place`,
      )
    }
    this.#files.set(key, route)
    for (const folder of folders) if (!this.#folders.has(folder)) this.#folders.set(folder, route)
  }
}
