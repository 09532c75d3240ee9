import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/invalidator-plugin.ts', 'src/subscriber-plugin.ts'],
  format: 'esm',
  target: 'node20',
  dts: true,
  clean: true,
  sourcemap: false,
  shims: false,
  removeNodeProtocol: false,
})
