import { type FSWatcher, watch } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A build writes several files, and each in several steps. */
const QUIET_MS = 100

/** Calls back after files beside the worker file, or in folders below, have changed, once they are quiet. */
export class WorkerWatch {
  readonly #watcher: FSWatcher
  #timer: NodeJS.Timeout | undefined

  constructor(worker: URL, changed: () => Promise<void>) {
    const folder = fileURLToPath(new URL('.', worker))
    this.#watcher = watch(folder, { recursive: true, persistent: false }, (_event, file) => {
      if (file?.split(sep).includes('node_modules')) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void changed(), QUIET_MS)
    })
    // A folder that is removed, or too many watchers: development goes on, by hand.
    this.#watcher.on('error', error => process.emitWarning(error))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#watcher.close()
  }
}
