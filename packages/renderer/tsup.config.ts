import { defineConfig } from 'tsup'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/plugin.ts',
    'src/worker.ts',
    'src/cache-invalidator-plugin.ts',
    'src/cache-subscriber-plugin.ts',
    'src/worker-host.ts',
  ],
  format: 'esm',
  target: 'node20',
  dts: true,
  clean: true,
  sourcemap: false,
  shims: false,
  removeNodeProtocol: false,
})
