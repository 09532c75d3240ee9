import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/main-thread-cost.ts', 'src/render-worker.ts', 'src/string-worker.ts', 'src/load.ts'],
  format: 'esm',
  target: 'node20',
  clean: true,
  removeNodeProtocol: false,
})
