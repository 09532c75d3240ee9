import type { Options } from 'tsup'

/** How every package is built; each adds its entries. */
export const base: Options = {
  format: 'esm',
  target: 'node20',
  dts: true,
  clean: true,
  shims: false,
  removeNodeProtocol: false,
}
