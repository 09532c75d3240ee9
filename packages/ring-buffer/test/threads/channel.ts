import { workerData } from 'node:worker_threads'
import { RingReader, RingWriter } from '../../src/index.js'

/** A thread that passes all bytes of one channel on to another, blocking, until their end. */
const { from, to } = workerData as { from: SharedArrayBuffer; to: SharedArrayBuffer }
const reader = new RingReader(from)
const writer = new RingWriter(to)
for (let bytes = reader.read(100); bytes; bytes = reader.read(100)) writer.write(bytes)
writer.end()
