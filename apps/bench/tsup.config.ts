import { defineConfig } from 'tsup'

export default defineConfig({
  entry: [
    'src/renderer.ts',
    'src/render-worker.ts',
    'src/rival-worker.ts',
    'src/slow-redis.ts',
    'src/http.ts',
    'src/load.ts',
    'src/ring.ts',
    'src/ring-sender.ts',
    'src/ring-receiver.ts',
    'src/ring-echo.ts',
    'src/ring-text-sink.ts',
    'src/ring-heap.ts',
    'src/invalidation.ts',
    'src/invalidation-listener.ts',
    'src/invalidation-heap.ts',
    'src/faults.ts',
  ],
  noExternal: ['@scratchyjs/tooling'],
  format: 'esm',
  target: 'node20',
  clean: true,
  removeNodeProtocol: false,
})
