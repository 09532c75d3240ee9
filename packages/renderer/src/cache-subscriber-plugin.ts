export { default } from '@scratchyjs/cache-invalidation/subscriber-plugin'
