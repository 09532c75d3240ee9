import { defineRenderer } from '@scratchyjs/renderer/worker'
import { render } from 'svelte/server'
import App from './App.svelte'
import { lines } from './late.mjs'

export default defineRenderer({
  render: ({ props }) => render(App, { props: { ...props, lines } }),
})
