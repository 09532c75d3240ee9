// A process of its own that asks a server for pages: `node load.js <url> <pages> <at once>`. Prints nothing; exits with
// 1 when an answer is not the page.
import { Agent, get } from 'node:http'

const [url = '', pages = '1', atOnce = '1'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(atOnce) })
const expected = Number(new URL(url).searchParams.get('bytes'))
let left = Number(pages)

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('end', () => {
        if (response.statusCode === 200 && bytes === expected) resolve()
        else reject(new Error(`${url}: status ${response.statusCode}, ${bytes} bytes`))
      })
    }).on('error', reject)
  })
}

await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await ask()
  }),
)
agent.destroy()
