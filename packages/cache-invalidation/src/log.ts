import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { Script } from './script.js'

/** A place in the log of a channel. */
export interface LogPosition {
  /** Names this log; another log, after the first was lost, has another. */
  epoch: string
  /** Number of the message, from 1, without gaps. */
  sequence: number
}

/** A place in the log, and the id of the message there: a number used twice shows. */
export interface Cursor extends LogPosition {
  id: string
}

/** The place where there is no log. */
export const noLog: Cursor = { epoch: '', sequence: 0, id: '' }

/** What one look at the log showed. */
export interface LogPage {
  /** Identity of the dataset that answered (`master_replid`); undefined when Redis won't tell. */
  server: string | undefined
  /** The newest entry; number 0 in a new log; {@link noLog} when there is none and none can begin. */
  head: Cursor
  /** Number of the oldest entry that is still there. */
  first: number
  /** The log holds another message, or none, at the place that was asked about. */
  diverged: boolean
  /** The number that `entries` follow on. */
  after: number
  /** The messages after that place, oldest first: not all when there are many. */
  entries: string[]
}

// The log is one hash, so that it is on one node of a cluster and one script can change it whole:
//
//   head      "<first> <last> <renewed> <epoch> <id>": the numbers of the oldest and the newest entry, when the time
//             to live began anew, in seconds since 1970, the name of the log, and the id of the newest entry
//   <number>  the message, as it was published
//   i:<id>    number of the message with this id, for as long as the message is there
//
// Of the script's time most is taken by redis.call, for each field of a hash, and by numbers that become strings; more
// so when Redis was idle: hence so few of each. `next` is a string, for redis.call writes a number with 17 digits.
//
// KEYS: log. ARGV: channel, the message's own members as JSON, id.
const appendScript = ({ maxLength, ttl }: LogLimits): Script =>
  new Script(`
local log, id = KEYS[1], ARGV[3]
local place = 'i:' .. id
local found = redis.call('HMGET', log, place, 'head')
local first, last, renewed, epoch = string.match(found[2] or '1 0 0 ', '^(%d+) (%d+) (%d+) (%S*)')
if found[1] then return {epoch, tonumber(found[1])} end
local now = redis.call('TIME')
if epoch == '' then epoch = redis.sha1hex(now[1] .. ' ' .. now[2] .. ' ' .. id) end
local number = last + 1
local next = string.format('%d', number)
local message = '{' .. ARGV[2] .. ',"epoch":"' .. epoch .. '","sequence":' .. next ..
  ',"at":' .. now[1] .. string.sub('00000' .. now[2], -6, -4) .. ',"id":"' .. id .. '"}'
local keep = number - ${maxLength} + 1
if keep > tonumber(first) then
  -- A log that was longer before shrinks in steps: no publish blocks Redis for long.
  if keep > first + 1000 then keep = first + 1000 end
  for old = tonumber(first), keep - 1 do
    local entry = redis.call('HGET', log, old)
    redis.call('HDEL', log, old, 'i:' .. (entry and string.match(string.sub(entry, -160), '"id":"([^"]*)"}$') or ''))
  end
  first = string.format('%d', keep)
end
local head = first .. ' ' .. next .. ' ' .. now[1] .. ' ' .. epoch .. ' ' .. id
redis.call('HSET', log, 'head', head, next, message, place, next)
if renewed ~= now[1] then redis.call('EXPIRE', log, ${ttl}) end
redis.call('PUBLISH', ARGV[1], message)
return {epoch, number}
`)

// KEYS: log. ARGV: epoch, number and id of the place to read on from; most entries; most bytes; epoch
// of a new log; "INFO" to tell who answers. For the epoch "?" the number is a time: the place is before
// the first message of that millisecond. Where there is no log one begins, so that its loss can be
// seen later; a replica can't, and answers with the epoch "".
const readScript = new Script(`
local log, asked, after = KEYS[1], ARGV[1], tonumber(ARGV[2])
local head = redis.call('HGET', log, 'head')
if not head then
  head = '1 0 0 ' .. ARGV[6] .. ' '
  if type(redis.pcall('HSET', log, 'head', head)) == 'table' then head = '1 0 0  ' else redis.call('EXPIRE', log, 86400) end
end
local first, last, epoch, id = string.match(head, '^(%d+) (%d+) %d+ (%S*) (.*)')
first, last = tonumber(first), tonumber(last)
local diverged, entries, bytes = 0, {}, 0
if asked == '?' then
  local since = after
  after = last
  while after >= first and last - after < 10000 do
    local entry = redis.call('HGET', log, after)
    if not entry or tonumber(string.match(string.sub(entry, -160), '"at":(%d+),"id":"[^"]*"}$') or 0) < since then break end
    after = after - 1
  end
  if after < first and first > 1 or last - after == 10000 then after = first - 2 end
elseif asked ~= epoch then
  after = last
elseif after > last or after >= first and redis.call('HGET', log, 'i:' .. ARGV[3]) ~= ARGV[2] then
  diverged = 1
end
local number = after + 1
if diverged == 0 and number >= first then
  while number <= last and #entries < tonumber(ARGV[4]) and bytes < tonumber(ARGV[5]) do
    local entry = redis.call('HGET', log, number) or ''
    entries[#entries + 1] = entry
    bytes = bytes + #entry
    number = number + 1
  end
end
local info = ARGV[7] == 'INFO' and redis.pcall('INFO', 'replication')
return {epoch, first, last, id, diverged, after, entries, type(info) == 'string' and info or ''}
`)

const timeScript = new Script(`
local now = redis.call('TIME')
return now[1] * 1000 + math.floor(now[2] / 1000)
`)

const pageEntries = 1000
const pageBytes = 256 * 1024

function logKey(channel: string): string {
  return `${channel}:log`
}

/** How much of the log is kept: `maxLength` messages, and `ttl` seconds after the last one. */
export interface LogLimits {
  maxLength: number
  ttl: number
}

/** What is appended to the log. */
export interface Entry {
  /** Of the message: JSON of an object with keys, without its braces. */
  members: string
  id: string
}

/**
 * Appends to the log and publishes, both or neither, in one step. With an id that the log still
 * knows nothing happens, and the first place is the answer.
 */
export function appendTo(
  client: Redis | Cluster,
  channel: string,
  limits: LogLimits,
): (entry: Entry) => Promise<LogPosition> {
  const script = appendScript(limits)
  return async ({ members, id }) => {
    const answer = await script.run(client, logKey(channel), [channel, members, id])
    const [epoch, sequence] = answer as [string, number | string]
    return { epoch, sequence: Number(sequence) }
  }
}

/** A moment, by the clock of the Redis that holds the log. */
export interface Since {
  /** Milliseconds since 1970. */
  since: number
}

/**
 * The moment `startedAt`, a value of `performance.now()`, by the clock of Redis: at the latest the
 * true one, and earlier by no more than an answer takes to arrive.
 */
export async function serverTime(
  client: Redis | Cluster,
  channel: string,
  startedAt: number,
): Promise<Since> {
  let since = 0
  let shortest = Number.POSITIVE_INFINITY
  // The sample whose answer took least is the closest.
  for (let sample = 0; sample < 3; sample += 1) {
    const asked = performance.now()
    const now = Number(await timeScript.run(client, logKey(channel), []))
    const answered = performance.now()
    if (answered - asked < shortest) since = Math.floor(now - (answered - startedAt))
    shortest = Math.min(shortest, answered - asked)
  }
  return { since }
}

/** Looks at the log: what came after a place, or since a moment. */
export async function readLog(
  client: Redis | Cluster,
  channel: string,
  from: Cursor | Since,
): Promise<LogPage> {
  const place = 'since' in from ? ['?', from.since, ''] : [from.epoch, from.sequence, from.id]
  const values = [...place, pageEntries, pageBytes, randomUUID()]
  const { info, log } = await (client.isCluster
    ? askCluster(client, logKey(channel), values)
    : ask(client, logKey(channel), values))
  const [epoch, first, last, id, diverged, after, entries] = log
  return {
    server: /^master_replid:(\w+)/m.exec(info)?.[1],
    // Number(): a client with stringNumbers answers with strings.
    head: { epoch, sequence: Number(last), id },
    first: Number(first),
    diverged: Number(diverged) === 1,
    after: Number(after),
    entries,
  }
}

type ReadAnswer = [
  epoch: string,
  first: number,
  last: number,
  id: string,
  diverged: number,
  after: number,
  entries: string[],
  info: string,
]

async function ask(client: Redis | Cluster, key: string, values: (string | number)[]) {
  // In this order: data of a newer server under the older identity is found out at the next look,
  // the reverse never.
  const info = client.info('replication').catch(() => '')
  const log = (await readScript.run(client, key, values)) as ReadAnswer
  return { info: await info, log }
}

// A cluster would ask any node for INFO. A pipeline goes to the right one, but ioredis follows no
// MOVED in it when only one of its commands is answered with that.
async function askCluster(client: Redis | Cluster, key: string, values: (string | number)[]) {
  const log = (await readScript.run(client, key, [...values, 'INFO'])) as ReadAnswer
  return { info: log[7], log }
}
