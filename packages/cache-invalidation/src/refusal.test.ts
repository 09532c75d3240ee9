import { describe, expect, it } from 'vitest'
import { isRefusal } from './refusal.js'

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

describe('an answer of Redis', () => {
  it.each([
    "READONLY You can't write against a read only replica. script: 5f, on @user_script:22.",
    "ERR Error running script (call to f_5f): @user_script:22: @user_script: 22: -READONLY You can't write against a read only replica.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    'LOADING Redis is loading the dataset in memory',
    'CLUSTERDOWN Hash slot not served',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'MISCONF Redis is configured to save RDB snapshots',
    'NOREPLICAS Not enough good replicas to write.',
    'MASTERDOWN Link with MASTER is down',
    'BUSY Redis is busy running a script.',
  ])('that passes is none: %s', message => {
    expect(isRefusal(reply(message))).toBe(false)
  })

  it.each([
    "NOPERM this user has no permissions to run the 'evalsha' command",
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    "ERR unknown command 'EVALSHA'",
    'NOAUTH Authentication required.',
    'WRONGTYPE a key that is called OOM',
  ])('that stays is a refusal: %s', message => {
    expect(isRefusal(reply(message))).toBe(true)
  })
})

describe('a failure of the connection', () => {
  it.each([
    'Connection is closed.',
    'Command timed out',
    "Stream isn't writeable and enableOfflineQueue options is false",
  ])('is none: %s', message => {
    expect(isRefusal(new Error(message))).toBe(false)
  })

  it('that may not publish is a refusal', () => {
    expect(isRefusal(new Error('Connection in subscriber mode, only subscriber commands may be used'))).toBe(
      true,
    )
  })
})
