export { default } from '@scratchyjs/cache-invalidation/invalidator-plugin'
