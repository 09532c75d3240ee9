import { spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'

const imports = `
  import { createMessageRing, createRingChannel, MessageReceiver, MessageSender, RingReader, RingWriter,
    SharedRingBuffer } from '@scratchyjs/ring-buffer'
  import { toReadable, toWritable } from '@scratchyjs/ring-buffer/node'
`

/** Puts a script where it can import the package as users do, and has all of it imported. */
export async function script(text: string): Promise<string> {
  const file = join(await mkdtemp(join(inject('folder'), 'script-')), 'script.mjs')
  await writeFile(file, imports + text)
  return file
}

/** Runs a script in a process of its own, which is killed (code: null) if it doesn't end by itself. */
export async function run(
  text: string,
  { flags = [], timeout = 15_000 }: { flags?: string[]; timeout?: number } = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [...flags, await script(text)], { timeout, killSignal: 'SIGKILL' })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, output }
}
