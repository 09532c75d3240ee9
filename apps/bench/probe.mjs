import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'

const port = 17395
const srv = spawn('redis-server', ['--port', port, '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' })
await new Promise(r => setTimeout(r, 300))
const us = () => Number(process.hrtime.bigint()) / 1000
const med = (a, p = 0.5) => a.sort((x, y) => x - y)[Math.floor(a.length * p)]
const p = new Redis(port)
await p.ping()
const text = readFileSync('/tmp/w/sender/packages/cache-invalidation/src/log.ts', 'utf8')
  .match(/new Script\(`([\s\S]*?)`\)/)[1]
  .replace('${maxLength}', '10000')
  .replace('${ttl}', '86400')
const lean = `
local log, id, key = KEYS[1], ARGV[3], 'i:' .. ARGV[3]
local head = redis.call('HMGET', log, key, 'epoch', 'first', 'last', 'renewed')
local epoch, number = head[2], head[4] or 0
if head[1] then return {epoch, tonumber(head[1])} end
local now = redis.call('TIME')
if not epoch then
  epoch, number = redis.sha1hex(now[1] .. ' ' .. now[2] .. ' ' .. id), 0
  redis.call('HSET', log, 'epoch', epoch, 'first', 1)
end
number = number + 1
local message = '{' .. ARGV[2] .. ',"epoch":"' .. epoch .. '","sequence":' .. number ..
  ',"at":' .. now[1] * 1000 + (now[2] - now[2] % 1000) / 1000 .. ',"id":"' .. id .. '"}'
if number - 10000 >= (head[3] or 1) + 0 then
  redis.call('HSET', log, 'first', 1)
end
redis.call('HSET', log, 'last', number, 'id', id, 'renewed', now[1], number, message, key, number)
if head[5] ~= now[1] then redis.call('EXPIRE', log, 86400) end
redis.call('PUBLISH', ARGV[1], message)
return {epoch, number}
`
const scripts = {
  bare: "return redis.call('PUBLISH', KEYS[1], ARGV[1])",
  full: text,
  full2: text + ' ',
  lean1: lean,
  lean1b: ' ' + lean,
  lean3: lean.replace("'id', id, 'renewed', now[1], ", ''),
  lean4: lean.replace("'id', id, 'renewed', now[1], ", '').replace(', key, number)', ')'),
  nohset: lean.replace(/redis.call\('HSET', log, 'last'.*\n/, ''),
  noset_notime: lean
    .replace(/redis.call\('HSET', log, 'last'.*\n/, '')
    .replace("redis.call('TIME')", "{'1764000000','1000'}"),
}
const sha = {}
for (const k in scripts) sha[k] = await p.script('LOAD', scripts[k])
const rec = {}
for (const k in scripts) rec[k] = []
for (let i = 0; i < 1200; i++)
  for (const k of Object.keys(scripts).sort(() => Math.random() - 0.5)) {
    const t0 = us()
    await p.evalsha(sha[k], 1, 'log:' + k, 'd', '"keys":["k"]', randomUUID())
    const t2 = us()
    if (i > 100) rec[k].push(t2 - t0)
    await new Promise(r => setTimeout(r, 1))
  }
for (const [n, r] of Object.entries(rec))
  console.log(n.padEnd(10), med(r).toFixed(1), med(r, 0.25).toFixed(1))
p.disconnect()
srv.kill()
