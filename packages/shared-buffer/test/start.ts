import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { inject, onTestFinished } from 'vitest'

/** The compiled program of `test/threads`. */
function program(name: string): string {
  return join(inject('compiled'), 'test/threads', `${name}.js`)
}

/** A worker thread that is ended with the test. */
export function startThread(name: string, workerData: unknown): Worker {
  const worker = new Worker(program(name), { workerData })
  onTestFinished(async () => {
    await worker.terminate()
  })
  return worker
}

/** The next message of the thread; rejects when it fails or ends before. */
export async function messageFrom<T>(worker: Worker): Promise<T> {
  const ended = new AbortController()
  try {
    return await Promise.race([
      once(worker, 'message', ended).then(([message]) => message as T),
      once(worker, 'exit', ended).then(([code]) => {
        throw new Error(`the thread ended with ${code} before it said anything`)
      }),
    ])
  } finally {
    ended.abort()
  }
}

/** Runs a program of `test/threads` in a process of its own, which is killed (code: null) when it takes too long. */
export function runProcess(
  name: string,
  args: string[],
  execArgv: string[] = [],
  timeout?: number,
): Promise<ProcessResult> {
  return runScript(program(name), args, execArgv, timeout)
}

interface ProcessResult {
  code: number | null
  stdout: string
  stderr: string
}

/** The same for any script. */
export function runScript(
  path: string,
  args: string[] = [],
  execArgv: string[] = [],
  timeout = 10_000,
): Promise<ProcessResult> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [...execArgv, path, ...args],
      { timeout, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout: stdout.trim(), stderr }),
    )
  })
}
