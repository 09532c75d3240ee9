import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the stylesheet, the scripts and the icon; beside `src` and `dist`. */
export const assetsFolder: string = fileURLToPath(new URL('../assets/', import.meta.url))

/**
 * Where they are served. The address changes with their content, so that browsers may keep them for good; it depends on
 * nothing else, so that every thread and every server of one version writes the same address into its pages.
 */
export const assetsRoute: string = `/assets/${digest(assetsFolder)}/`

function digest(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(folder + name))
  return hash.digest('hex').slice(0, 12)
}
