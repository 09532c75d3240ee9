import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/main.ts', 'src/portal.ts', 'src/worker.ts', 'src/store-outlines.ts', 'src/static.ts'],
  format: 'esm',
  target: 'node20',
  clean: true,
  sourcemap: false,
  shims: false,
  removeNodeProtocol: false,
  onSuccess: 'node dist/store-outlines.js',
})
