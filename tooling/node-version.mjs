// Runs before anything else, on whatever Node there is: nothing newer than ES modules here.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`scratchyjs needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
