import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: [
    'src/index.ts',
    'src/plugin.ts',
    'src/worker.ts',
    'src/cache-invalidator-plugin.ts',
    'src/cache-subscriber-plugin.ts',
    'src/worker-host.ts',
    'src/ssg-command.ts',
  ],
})
