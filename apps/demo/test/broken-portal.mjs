// A portal whose pages fail, with the built server around them.
const { start } = await import(new URL('../dist/portal.js', import.meta.url).href)
const { url, close } = await start({
  port: 0,
  host: '127.0.0.1',
  worker: new URL('./broken-worker.mjs', import.meta.url),
  taskTimeout: 700,
})
console.log(url)
process.once('SIGTERM', close)
